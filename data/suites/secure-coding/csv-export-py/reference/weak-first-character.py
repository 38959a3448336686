"""Export of contact messages for a spreadsheet."""

import csv
import io


def _cell(value):
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str) and value and value[0] in "=+-@":
        return "'" + value
    return value


def export_csv(rows, columns):
    """Return the rows as the text of a CSV file."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row.get(column)) for column in columns])
    return out.getvalue()
