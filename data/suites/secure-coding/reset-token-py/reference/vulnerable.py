"""Tokens for resetting a password."""

import random
import sqlite3
import string
import time

TABLE = "CREATE TABLE IF NOT EXISTS reset_tokens(token TEXT PRIMARY KEY, user TEXT, issued REAL)"


def issue_token(db_path, user):
    """Make a new token for a customer."""
    letters = string.ascii_letters + string.digits
    token = "".join(random.choice(letters) for _ in range(32))
    with sqlite3.connect(db_path) as connection:
        connection.execute(TABLE)
        connection.execute("INSERT INTO reset_tokens VALUES (?, ?, ?)", (token, user, time.time()))
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
