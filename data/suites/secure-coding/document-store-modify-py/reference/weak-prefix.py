"""A document store in one folder."""

import os
import shutil
from pathlib import Path


def _locate(root, name):
    """The real path of a document; it lies below the real root folder."""
    base = Path(root).resolve()
    if not name or "\0" in name or os.path.isabs(name):
        raise ValueError("not a document name")
    path = (base / name).resolve()
    if path == base or base not in path.parents:
        raise ValueError("not a document name")
    return path


def read_document(root, name):
    """Return the text of a document."""
    path = _locate(root, name)
    if not path.is_file():
        raise FileNotFoundError(name)
    return path.read_text(encoding="utf-8")


def write_document(root, name, text):
    """Write a document, making its folders."""
    path = _locate(root, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def list_documents(root):
    """Return the names of all documents, sorted."""
    base = Path(root).resolve()
    names = []
    for folder, _, files in os.walk(base):
        for file in files:
            path = Path(folder, file)
            if path.is_file() and not path.is_symlink():
                names.append(path.relative_to(base).as_posix())
    return sorted(names)


def _pair(root, name, new_name):
    """The paths of an existing document and of one that does not exist yet."""
    base = os.path.abspath(root)
    source, target = Path(os.path.abspath(Path(root, name))), Path(os.path.abspath(Path(root, new_name)))
    if not str(source).startswith(base) or not str(target).startswith(base):
        raise ValueError("not a document name")
    if not source.is_file():
        raise FileNotFoundError(name)
    if target.exists():
        raise FileExistsError(new_name)
    target.parent.mkdir(parents=True, exist_ok=True)
    return source, target


def copy_document(root, name, new_name):
    """Make a second document with the same content."""
    source, target = _pair(root, name, new_name)
    shutil.copyfile(source, target)


def rename_document(root, name, new_name):
    """Move a document to another name."""
    source, target = _pair(root, name, new_name)
    source.rename(target)
