"""Export of contact messages for a spreadsheet."""


def _field(value):
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = str(value)
    if isinstance(value, str) and text.startswith("="):
        text = "'" + text
    if any(character in text for character in ',"\r\n'):
        text = '"' + text.replace('"', '""') + '"'
    return text


def export_csv(rows, columns):
    """Return the rows as the text of a CSV file."""
    lines = [",".join(_field(column) for column in columns)]
    for row in rows:
        lines.append(",".join(_field(row.get(column)) for column in columns))
    return "".join(line + "\r\n" for line in lines)
