from pathlib import Path


def read_note(base: str, name: str) -> str:
    folder = Path(base).resolve()
    path = (folder / name).resolve()
    if not path.is_relative_to(folder) or not path.is_file():
        raise KeyError(name)
    return path.read_text(encoding="utf-8")
