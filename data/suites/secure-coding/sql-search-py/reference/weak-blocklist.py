"""Search of the staff directory."""

import re
import sqlite3

FORBIDDEN = re.compile(r"--|;|/\*|\b(union|select|insert|update|delete|drop|attach)\b", re.IGNORECASE)


def search_users(db_path, text, sort="name", descending=False):
    """Find users whose name contains the text, ordered by a column."""
    if FORBIDDEN.search(text):
        raise ValueError("invalid characters in search text")
    if sort not in ("id", "name", "email"):
        raise ValueError("unknown sort column")
    direction = "DESC" if descending else "ASC"
    connection = sqlite3.connect(db_path)
    connection.row_factory = sqlite3.Row
    try:
        rows = connection.execute(
            "SELECT id, name, email FROM users "
            f"WHERE LOWER(name) LIKE LOWER('%{text}%') ORDER BY {sort} {direction}"
        ).fetchall()
    finally:
        connection.close()
    return [dict(row) for row in rows]
