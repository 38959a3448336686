"""Prices from formulas that the sales staff type."""

FUNCTIONS = {"min": min, "max": max, "round": round}


def price(formula, variables):
    """Return the value of a formula."""
    scope = {"__builtins__": {}, **FUNCTIONS, **variables}
    try:
        return float(eval(formula.strip(), scope, {}))
    except ZeroDivisionError:
        raise
    except Exception as error:
        raise ValueError(f"invalid formula: {formula}") from error
