"""Tokens for resetting a password."""

import hashlib
import sqlite3
import time

TABLE = "CREATE TABLE IF NOT EXISTS reset_tokens(token TEXT PRIMARY KEY, user TEXT, issued REAL)"


def issue_token(db_path, user):
    """Make a new token for a customer."""
    with sqlite3.connect(db_path) as connection:
        connection.execute(TABLE)
        count = connection.execute("SELECT COUNT(*) FROM reset_tokens").fetchone()[0]
        now = time.time()
        token = hashlib.sha256(f"{user}:{now}:{count}".encode()).hexdigest()
        connection.execute("INSERT INTO reset_tokens VALUES (?, ?, ?)", (token, user, now))
    return token


def redeem_token(db_path, token):
    """Return the customer of a valid token and use the token up."""
    with sqlite3.connect(db_path) as connection:
        connection.execute(TABLE)
        row = connection.execute(
            "SELECT user, issued FROM reset_tokens WHERE token = ?", (token,)
        ).fetchone()
        if row is None:
            return None
        connection.execute("DELETE FROM reset_tokens WHERE token = ?", (token,))
    user, issued = row
    return user if time.time() - issued <= 3600 else None
