"""Tokens for resetting a password."""

import hashlib
import secrets
import sqlite3
import time
from contextlib import closing

VALID_S = 3600
TABLE = (
    "CREATE TABLE IF NOT EXISTS reset_tokens("
    "digest TEXT PRIMARY KEY, user TEXT NOT NULL, issued REAL NOT NULL)"
)


def _digest(token):
    # Only a digest is kept: who reads the database cannot redeem anything.
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def issue_token(db_path, user):
    """Make a new token for a customer."""
    token = secrets.token_urlsafe(32)
    with closing(sqlite3.connect(db_path)) as connection, connection:
        connection.execute(TABLE)
        connection.execute(
            "INSERT INTO reset_tokens(digest, user, issued) VALUES (?, ?, ?)",
            (_digest(token), user, time.time()),
        )
    return token


def redeem_token(db_path, token):
    """Return the customer of a valid token and use the token up."""
    with closing(sqlite3.connect(db_path)) as connection:
        connection.execute(TABLE)
        connection.execute("BEGIN IMMEDIATE")
        row = connection.execute(
            "SELECT user, issued FROM reset_tokens WHERE digest = ?", (_digest(token),)
        ).fetchone()
        connection.execute("DELETE FROM reset_tokens WHERE digest = ?", (_digest(token),))
        connection.commit()
    if row is None or not 0 <= time.time() - row[1] <= VALID_S:
        return None
    return row[0]
