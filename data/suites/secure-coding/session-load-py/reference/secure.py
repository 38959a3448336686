"""Sessions as text for a cookie."""

import base64
import json


def _pack(value):
    """Values that JSON lacks, and dicts, become lists with a tag."""
    if isinstance(value, (bytes, bytearray)):
        return ["b", base64.b64encode(value).decode("ascii")]
    if isinstance(value, dict):
        return ["d", {key: _pack(inner) for key, inner in value.items()}]
    if isinstance(value, list):
        return ["l", [_pack(inner) for inner in value]]
    return value


def _unpack(value):
    if not isinstance(value, list):
        return value
    tag, content = value
    if tag == "b":
        return base64.b64decode(content)
    if tag == "d":
        return {key: _unpack(inner) for key, inner in content.items()}
    if tag == "l":
        return [_unpack(inner) for inner in content]
    raise ValueError("unknown tag in a session")


def save_session(session):
    """Return the session as printable text."""
    text = json.dumps(_pack(session), separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode("utf-8")).decode("ascii")


def load_session(blob):
    """Return the session of a text that save_session made."""
    session = _unpack(json.loads(base64.urlsafe_b64decode(blob.encode("ascii"))))
    if not isinstance(session, dict):
        raise ValueError("not a session")
    return session
