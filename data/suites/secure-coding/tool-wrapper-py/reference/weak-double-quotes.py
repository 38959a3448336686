"""Properties of uploaded PDF files."""

import os
import subprocess


def document_info(folder, name):
    """Return the properties that pdfinfo prints for a file."""
    path = os.path.join(folder, name).replace('"', "")
    process = subprocess.Popen(f'pdfinfo "{path}"', shell=True, stdout=subprocess.PIPE, universal_newlines=True)
    output, _ = process.communicate()
    if process.returncode != 0:
        raise RuntimeError("pdfinfo failed")
    info = {}
    for line in output.splitlines():
        if ":" in line:
            key, value = line.split(":", 1)
            info[key.strip()] = value.strip()
    return info
