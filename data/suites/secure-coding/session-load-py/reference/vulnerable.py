"""Sessions as text for a cookie."""

import base64
import pickle


def save_session(session):
    """Return the session as printable text."""
    return base64.b64encode(pickle.dumps(session)).decode("ascii")


def load_session(blob):
    """Return the session of a text that save_session made."""
    return pickle.loads(base64.b64decode(blob))
