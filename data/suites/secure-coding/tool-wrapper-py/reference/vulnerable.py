"""Properties of uploaded PDF files."""

import subprocess


def document_info(folder, name):
    """Return the properties that pdfinfo prints for a file."""
    result = subprocess.run(f"pdfinfo {folder}/{name}", shell=True, capture_output=True, text=True)
    if result.returncode != 0:
        raise RuntimeError(result.stderr)
    info = {}
    for line in result.stdout.splitlines():
        if ":" in line:
            key, value = line.split(":", 1)
            info[key.strip()] = value.strip()
    return info
