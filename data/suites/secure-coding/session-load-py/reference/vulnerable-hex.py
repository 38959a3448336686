"""Sessions as text for a cookie."""

import pickle


def save_session(session):
    """Return the session as printable text."""
    return pickle.dumps(session).hex()


def load_session(blob):
    """Return the session of a text that save_session made."""
    return pickle.loads(bytes.fromhex(blob))
