"""Import of customers' archives."""

import tarfile
import zipfile
from pathlib import Path, PurePosixPath

LIMIT = 1_000_000


def _safe(name):
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts


def _entries(archive_path):
    """Yield name, size, whether it is a folder, and the bytes of each entry."""
    if zipfile.is_zipfile(archive_path):
        with zipfile.ZipFile(archive_path) as archive:
            for entry in archive.infolist():
                folder = entry.is_dir()
                yield entry.filename, entry.file_size, folder, b"" if folder else archive.read(entry)
        return
    try:
        with tarfile.open(archive_path, "r:gz") as archive:
            for entry in archive.getmembers():
                if entry.isfile() or entry.isdir():
                    data = archive.extractfile(entry).read() if entry.isfile() else b""
                    yield entry.name, entry.size, entry.isdir(), data
    except (tarfile.TarError, OSError) as error:
        raise ValueError("unknown archive format") from error


def import_archive(archive_path, target):
    """Unpack an archive below a folder and return the names of its files."""
    base = Path(target)
    base.mkdir(parents=True, exist_ok=True)
    names = []
    for name, size, folder, data in _entries(archive_path):
        if not _safe(name):
            raise ValueError(f"bad entry name: {name}")
        if size > LIMIT:
            raise ValueError("archive too large")
        path = base / name
        if folder:
            path.mkdir(parents=True, exist_ok=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            names.append(name)
    return sorted(names)
