"""Search of the staff directory."""

import sqlite3


def search_users(db_path, text, sort="name", descending=False):
    """Find users whose name contains the text, ordered by a column."""
    direction = "DESC" if descending else "ASC"
    connection = sqlite3.connect(db_path)
    connection.row_factory = sqlite3.Row
    try:
        cursor = connection.cursor()
        cursor.execute(
            f"SELECT id, name, email FROM users WHERE name LIKE '%{text}%' ORDER BY {sort} {direction}"
        )
        return [dict(row) for row in cursor.fetchall()]
    finally:
        connection.close()
