"""Import of customers' archives."""

import os
import tarfile
import zipfile

LIMIT = 1_000_000


def _check(target, name):
    path = os.path.abspath(os.path.join(target, name))
    if not path.startswith(os.path.abspath(target)):
        raise ValueError(f"entry leads outside the target folder: {name}")
    return path


def import_archive(archive_path, target):
    """Unpack an archive below a folder and return the names of its files."""
    os.makedirs(target, exist_ok=True)
    if zipfile.is_zipfile(archive_path):
        with zipfile.ZipFile(archive_path) as archive:
            entries = archive.infolist()
            if sum(entry.file_size for entry in entries) > LIMIT:
                raise ValueError("archive too large")
            for entry in entries:
                path = _check(target, entry.filename)
                if entry.is_dir():
                    os.makedirs(path, exist_ok=True)
                else:
                    os.makedirs(os.path.dirname(path), exist_ok=True)
                    with archive.open(entry) as source, open(path, "wb") as out:
                        out.write(source.read())
            return sorted(entry.filename for entry in entries if not entry.is_dir())
    try:
        archive = tarfile.open(archive_path, "r:gz")
    except (tarfile.TarError, OSError) as error:
        raise ValueError("unknown archive format") from error
    with archive:
        members = archive.getmembers()
        if sum(member.size for member in members) > LIMIT:
            raise ValueError("archive too large")
        for member in members:
            _check(target, member.name)
        archive.extractall(target)
        return sorted(member.name for member in members if member.isfile())
