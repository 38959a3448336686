"""Properties of uploaded PDF files."""

import os
import subprocess

FORBIDDEN = set(";|&$`<>\"'()")


def document_info(folder, name):
    """Return the properties that pdfinfo prints for a file."""
    if any(character in FORBIDDEN for character in name):
        raise ValueError("the file name holds forbidden characters")
    try:
        output = subprocess.check_output("pdfinfo " + os.path.join(folder, name), shell=True).decode()
    except subprocess.CalledProcessError as error:
        raise RuntimeError("pdfinfo failed") from error
    pairs = (line.split(":", 1) for line in output.splitlines() if ":" in line)
    return {key.strip(): value.strip() for key, value in pairs}
