"""Properties of uploaded PDF files."""

import os
import subprocess


def document_info(folder, name):
    """Return the properties that pdfinfo prints for a file."""
    if not name or name in (".", "..") or "/" in name or "\0" in name:
        raise ValueError("not a file name")
    # The path is absolute, so that no name is taken as an option.
    path = os.path.join(os.path.abspath(folder), name)
    result = subprocess.run(
        ["pdfinfo", path],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        check=False,
    )
    if result.returncode != 0:
        raise RuntimeError(f"pdfinfo failed with exit code {result.returncode}")
    info = {}
    for line in result.stdout.splitlines():
        key, colon, value = line.partition(":")
        if colon:
            info[key.strip()] = value.strip()
    return info
