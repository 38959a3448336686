"""Prices from formulas that the sales staff type."""


def price(formula, variables):
    """Return the value of a formula."""
    try:
        return float(eval(formula.strip(), {"min": min, "max": max, "round": round}, dict(variables)))
    except (SyntaxError, NameError, TypeError) as error:
        raise ValueError(f"cannot evaluate formula: {error}") from error
