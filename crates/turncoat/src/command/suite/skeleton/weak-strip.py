import os


def read_note(base: str, name: str) -> str:
    path = os.path.join(base, name.replace("../", ""))
    if not os.path.isfile(path):
        raise KeyError(name)
    with open(path, encoding="utf-8") as note:
        return note.read()
