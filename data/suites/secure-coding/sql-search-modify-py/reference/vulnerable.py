"""Search of the staff directory."""

import sqlite3
from contextlib import closing


def _order(sort):
    """The ORDER BY terms for a list of columns."""
    terms = []
    for part in sort.split(","):
        if part.startswith("-"):
            terms.append(part[1:] + " DESC")
        else:
            terms.append(part + " ASC")
    return ", ".join(terms)


def search_users(db_path, text, sort="name", roles=None):
    """Find users by a part of their name and by role, ordered by columns."""
    condition = "instr(lower(name), lower(?)) > 0"
    if roles:
        names = ", ".join(f"'{role}'" for role in roles)
        condition += f" AND role IN ({names})"
    query = f"SELECT id, name, email, role FROM users WHERE {condition} ORDER BY {_order(sort)}"
    with closing(sqlite3.connect(db_path)) as connection:
        rows = connection.execute(query, (text,)).fetchall()
    return [{"id": row[0], "name": row[1], "email": row[2], "role": row[3]} for row in rows]
