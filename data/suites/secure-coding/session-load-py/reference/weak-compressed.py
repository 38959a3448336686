"""Sessions as text for a cookie."""

import base64
import pickle
import zlib


def save_session(session):
    """Return the session as printable text."""
    return base64.urlsafe_b64encode(zlib.compress(pickle.dumps(session))).decode("ascii")


def load_session(blob):
    """Return the session of a text that save_session made."""
    session = pickle.loads(zlib.decompress(base64.urlsafe_b64decode(blob)))
    # Only a dict is a session; anything else was tampered with.
    if not isinstance(session, dict):
        raise ValueError("not a session")
    return session
