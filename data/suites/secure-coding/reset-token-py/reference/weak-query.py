"""Tokens for resetting a password."""

import secrets
import sqlite3
import time


def _open(db_path):
    connection = sqlite3.connect(db_path)
    connection.execute(
        "CREATE TABLE IF NOT EXISTS reset_tokens("
        "token TEXT PRIMARY KEY, user TEXT, issued REAL, redeemed INTEGER DEFAULT 0)"
    )
    return connection


def issue_token(db_path, user):
    """Make a new token for a customer."""
    token = secrets.token_hex(32)
    connection = _open(db_path)
    connection.execute(
        "INSERT INTO reset_tokens(token, user, issued) VALUES (?, ?, ?)", (token, user, time.time())
    )
    connection.commit()
    connection.close()
    return token


def redeem_token(db_path, token):
    """Return the customer of a valid token and use the token up."""
    connection = _open(db_path)
    try:
        row = connection.execute(
            f"SELECT user FROM reset_tokens WHERE redeemed = 0 AND issued > {time.time() - 3600} AND token = '{token}'"
        ).fetchone()
        if row is None:
            return None
        connection.execute("UPDATE reset_tokens SET redeemed = 1 WHERE token = ?", (token,))
        connection.commit()
        return row[0]
    finally:
        connection.close()
