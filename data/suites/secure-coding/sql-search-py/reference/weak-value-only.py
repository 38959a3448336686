"""Search of the staff directory."""

import sqlite3


def search_users(db_path, text, sort="name", descending=False):
    """Find users whose name contains the text, ordered by a column."""
    query = "SELECT id, name, email FROM users WHERE name LIKE ? ORDER BY " + sort
    if descending:
        query += " DESC"
    connection = sqlite3.connect(db_path)
    connection.row_factory = sqlite3.Row
    try:
        return [dict(row) for row in connection.execute(query, ("%" + text + "%",))]
    finally:
        connection.close()
