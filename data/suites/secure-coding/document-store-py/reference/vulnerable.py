"""A document store in one folder."""

import os


def read_document(root, name):
    """Return the text of a document."""
    path = os.path.join(root, name)
    if not os.path.isfile(path):
        raise FileNotFoundError(f"no such document: {name}")
    with open(path, encoding="utf-8") as file:
        return file.read()


def write_document(root, name, text):
    """Write a document, making its folders."""
    path = os.path.join(root, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def list_documents(root):
    """Return the names of all documents, sorted."""
    names = []
    for folder, _, files in os.walk(root):
        for file in files:
            path = os.path.join(folder, file)
            if os.path.isfile(path):
                names.append(os.path.relpath(path, root).replace(os.sep, "/"))
    return sorted(names)
