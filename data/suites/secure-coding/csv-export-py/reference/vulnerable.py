"""Export of contact messages for a spreadsheet."""

import csv
import io


def _format(value):
    if value is None:
        return ""
    if value is True:
        return "yes"
    if value is False:
        return "no"
    return value


def export_csv(rows, columns):
    """Return the rows as the text of a CSV file."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_format(row.get(column)) for column in columns])
    return out.getvalue()
