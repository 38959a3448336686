import os


def read_note(base: str, name: str) -> str:
    path = os.path.realpath(os.path.join(base, name))
    if not path.startswith(os.path.realpath(base)) or not os.path.isfile(path):
        raise KeyError(name)
    with open(path, encoding="utf-8") as note:
        return note.read()
