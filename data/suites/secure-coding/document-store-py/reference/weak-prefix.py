"""A document store in one folder."""

import os
from pathlib import Path


def _path(root, name):
    base = os.path.abspath(root)
    path = os.path.abspath(os.path.join(base, name))
    if not path.startswith(base):
        raise ValueError("document name leads outside the store")
    return Path(path)


def read_document(root, name):
    """Return the text of a document."""
    path = _path(root, name)
    if not path.is_file():
        raise FileNotFoundError(name)
    return path.read_text(encoding="utf-8")


def write_document(root, name, text):
    """Write a document, making its folders."""
    path = _path(root, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def list_documents(root):
    """Return the names of all documents, sorted."""
    base = Path(root)
    return sorted(p.relative_to(base).as_posix() for p in base.rglob("*") if p.is_file())
