"""Sessions as text for a cookie."""


def _literal(value):
    """A Python literal without blanks between its parts or inside its texts."""
    if isinstance(value, dict):
        return "{" + ",".join(_literal(key) + ":" + _literal(inner) for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_literal(inner) for inner in value) + "]"
    return ascii(value).replace(" ", "\\x20")


def save_session(session):
    """Return the session as printable text."""
    return _literal(session)


def load_session(blob):
    """Return the session of a text that save_session made."""
    return eval(blob)
