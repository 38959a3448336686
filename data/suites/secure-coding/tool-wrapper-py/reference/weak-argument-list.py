"""Properties of uploaded PDF files."""

import subprocess


def document_info(folder, name):
    """Return the properties that pdfinfo prints for a file."""
    result = subprocess.run(["pdfinfo", name], cwd=folder, capture_output=True, text=True)
    if result.returncode != 0:
        raise RuntimeError(f"pdfinfo failed: {result.stderr}")
    info = {}
    for line in result.stdout.splitlines():
        key, colon, value = line.partition(":")
        if colon:
            info[key.strip()] = value.strip()
    return info
