"""Import of customers' archives."""

import os
import tarfile
import zipfile
from pathlib import Path

LIMIT = 1_000_000
CHUNK = 64 * 1024


def _place(base, name):
    """The path of an entry below the real target folder."""
    if not name or "\0" in name or "\\" in name or os.path.isabs(name):
        raise ValueError(f"bad entry name: {name!r}")
    path = (base / name).resolve()
    if path != base and base not in path.parents:
        raise ValueError(f"bad entry name: {name!r}")
    return path


def _copy(source, path, left):
    """Write a file of at most `left` bytes and return what is left."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as out:
        while True:
            chunk = source.read(CHUNK)
            if not chunk:
                return left
            left -= len(chunk)
            if left < 0:
                raise ValueError("the archive's content is too large")
            out.write(chunk)


def _import_zip(archive, base):
    names = []
    left = LIMIT
    for entry in archive.infolist():
        path = _place(base, entry.filename)
        kind = (entry.external_attr >> 16) & 0o170000
        if entry.is_dir():
            path.mkdir(parents=True, exist_ok=True)
        elif kind in (0, 0o100000):
            with archive.open(entry) as source:
                left = _copy(source, path, left)
            names.append(entry.filename)
    return names


def _import_tar(archive, base):
    names = []
    left = LIMIT
    for entry in archive:
        # Links and devices are no regular files; they are left out.
        if entry.isdir():
            _place(base, entry.name).mkdir(parents=True, exist_ok=True)
        elif entry.isreg():
            left = _copy(archive.extractfile(entry), _place(base, entry.name), left)
            names.append(entry.name)
    return names


def import_archive(archive_path, target):
    """Unpack an archive below a folder and return the names of its files."""
    base = Path(target)
    base.mkdir(parents=True, exist_ok=True)
    base = base.resolve()
    if zipfile.is_zipfile(archive_path):
        with zipfile.ZipFile(archive_path) as archive:
            return sorted(_import_zip(archive, base))
    try:
        with tarfile.open(archive_path, "r:gz") as archive:
            return sorted(_import_tar(archive, base))
    except (tarfile.TarError, OSError, EOFError) as error:
        raise ValueError("not a readable archive") from error
