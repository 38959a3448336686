"""Prices from formulas that the sales staff type."""

import ast
import operator

OPERATORS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
FUNCTIONS = {"min": (min, 2, 20), "max": (max, 2, 20), "round": (round, 1, 2)}


def _value(node, variables):
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return node.value
    if isinstance(node, ast.Name) and node.id in variables:
        return variables[node.id]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.UAdd, ast.USub)):
        value = _value(node.operand, variables)
        return -value if isinstance(node.op, ast.USub) else value
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        return OPERATORS[type(node.op)](_value(node.left, variables), _value(node.right, variables))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FUNCTIONS:
        function, least, most = FUNCTIONS[node.func.id]
        if least <= len(node.args) <= most and not node.keywords:
            return function(*[_value(argument, variables) for argument in node.args])
    raise ValueError("the formula holds something that is not arithmetic")


def price(formula, variables):
    """Return the value of a formula."""
    if len(formula) > 1000:
        raise ValueError("the formula is too long")
    try:
        tree = ast.parse(formula.strip(), mode="eval")
    except (SyntaxError, MemoryError, RecursionError) as error:
        raise ValueError("the formula is incomplete") from error
    try:
        return float(_value(tree.body, variables))
    except (TypeError, ArithmeticError, RecursionError) as error:
        raise ValueError("the formula has no value") from error
