"""Search of the staff directory."""

import sqlite3
from contextlib import closing

SORT_COLUMNS = ("id", "name", "email", "role")


def _order(sort):
    """The ORDER BY terms for a list of columns."""
    terms = []
    for part in sort.split(","):
        column = part[1:] if part.startswith("-") else part
        if column not in SORT_COLUMNS:
            raise ValueError("sort columns are: " + ", ".join(SORT_COLUMNS))
        terms.append(column + (" DESC" if part.startswith("-") else ""))
    return ", ".join(terms)


def search_users(db_path, text, sort="name", roles=None):
    """Find users by a part of their name and by role, ordered by columns."""
    query = "SELECT id, name, email, role FROM users WHERE instr(lower(name), lower(?)) > 0"
    values = [text]
    if roles:
        query += " AND role IN (" + ", ".join("?" * len(roles)) + ")"
        values.extend(roles)
    query += " ORDER BY " + _order(sort)
    with closing(sqlite3.connect(db_path)) as connection:
        rows = connection.execute(query, values).fetchall()
    return [{"id": row[0], "name": row[1], "email": row[2], "role": row[3]} for row in rows]
