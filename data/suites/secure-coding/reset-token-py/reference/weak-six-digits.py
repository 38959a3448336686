"""Tokens for resetting a password."""

import secrets
import sqlite3
import time

TABLE = "CREATE TABLE IF NOT EXISTS reset_tokens(token TEXT PRIMARY KEY, user TEXT, issued REAL)"


def issue_token(db_path, user):
    """Make a new token for a customer."""
    with sqlite3.connect(db_path) as connection:
        connection.execute(TABLE)
        while True:
            token = f"{secrets.randbelow(1_000_000):06d}"
            try:
                connection.execute("INSERT INTO reset_tokens VALUES (?, ?, ?)", (token, user, time.time()))
                return token
            except sqlite3.IntegrityError:
                continue


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
