"""Prices from formulas that the sales staff type."""

import ast

FUNCTIONS = {"min": min, "max": max, "round": round}


def price(formula, variables):
    """Return the value of a formula."""
    try:
        tree = ast.parse(formula.strip(), mode="eval")
    except SyntaxError as error:
        raise ValueError("invalid formula") from error
    for node in ast.walk(tree):
        # Only known names may occur, so that nothing else can be called.
        if isinstance(node, ast.Name) and node.id not in variables and node.id not in FUNCTIONS:
            raise ValueError(f"unknown name: {node.id}")
    return float(eval(compile(tree, "formula", "eval"), dict(FUNCTIONS), dict(variables)))
