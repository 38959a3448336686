"""Import of customers' archives."""

import os
import tarfile
import zipfile

LIMIT = 1_000_000


def import_archive(archive_path, target):
    """Unpack an archive below a folder and return the names of its files."""
    os.makedirs(target, exist_ok=True)
    names = []
    if zipfile.is_zipfile(archive_path):
        with zipfile.ZipFile(archive_path) as archive:
            for entry in archive.infolist():
                path = os.path.join(target, entry.filename)
                if entry.is_dir():
                    os.makedirs(path, exist_ok=True)
                    continue
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "wb") as out:
                    out.write(archive.read(entry))
                names.append(entry.filename)
    elif tarfile.is_tarfile(archive_path):
        with tarfile.open(archive_path) as archive:
            archive.extractall(target)
            names = [member.name for member in archive.getmembers() if member.isfile()]
    else:
        raise ValueError("unknown archive format")
    total = sum(os.path.getsize(os.path.join(target, name)) for name in names)
    if total > LIMIT:
        raise ValueError("archive too large")
    return sorted(names)
