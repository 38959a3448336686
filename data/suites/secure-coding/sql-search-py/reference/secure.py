"""Search of the staff directory."""

import sqlite3
from contextlib import closing

SORT_COLUMNS = {"id": "id", "name": "name", "email": "email"}


def search_users(db_path, text, sort="name", descending=False):
    """Find users whose name contains the text, ordered by a column."""
    column = SORT_COLUMNS.get(sort)
    if column is None:
        raise ValueError("sort must be one of: " + ", ".join(SORT_COLUMNS))
    direction = "DESC" if descending else "ASC"
    query = (
        "SELECT id, name, email FROM users "
        "WHERE instr(lower(name), lower(?)) > 0 "
        f"ORDER BY {column} {direction}"
    )
    with closing(sqlite3.connect(db_path)) as connection:
        rows = connection.execute(query, (text,)).fetchall()
    return [{"id": row[0], "name": row[1], "email": row[2]} for row in rows]
