"""Prices from formulas that the sales staff type."""

import re

FORBIDDEN = re.compile(r"__|\b(import|exec|eval|compile|os|sys|subprocess|globals|locals)\b")


def price(formula, variables):
    """Return the value of a formula."""
    text = formula.strip()
    if not text or FORBIDDEN.search(text):
        raise ValueError("the formula holds a forbidden word")
    try:
        return float(eval(text, {}, dict(variables)))
    except (SyntaxError, NameError, TypeError) as error:
        raise ValueError("invalid formula") from error
