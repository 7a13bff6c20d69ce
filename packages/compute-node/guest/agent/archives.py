"""Zip archives from strangers."""

import os
import shutil
import stat
import zipfile

MAX_MEMBERS = 100_000
MAX_UNPACKED_BYTES = 1_073_741_824


class ArchiveError(ValueError):
    """An archive that is not unpacked; says why."""


def unpack(source, target: str) -> None:
    """Unpacks below the target and nowhere else. `source`: path or file object."""
    try:
        with zipfile.ZipFile(source) as archive:
            members = archive.infolist()
            check(members)
            os.makedirs(target, exist_ok=True)
            for member in members:
                unpack_member(archive, member, target)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise ArchiveError(f"the zip archive cannot be read: {error}") from error


def check(members) -> None:
    if len(members) > MAX_MEMBERS:
        raise ArchiveError(f"the zip archive has {len(members)} members, more than {MAX_MEMBERS}")
    size = sum(member.file_size for member in members)
    if size > MAX_UNPACKED_BYTES:
        raise ArchiveError(f"the zip archive unpacks to {size} bytes, more than {MAX_UNPACKED_BYTES}")
    for member in members:
        name = member.filename
        if name.startswith(("/", "\\")) or ".." in name.replace("\\", "/").split("/") or "\0" in name:
            raise ArchiveError(f"the zip archive wants to write to {name!r}, outside of its folder")


def unpack_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: str) -> None:
    path = os.path.join(target, member.filename)
    mode = member.external_attr >> 16
    # A link that an earlier member made must not lead a later one out.
    folder = os.path.realpath(path if member.is_dir() else os.path.dirname(path))
    root = os.path.realpath(target)
    if folder != root and not folder.startswith(root + os.sep):
        raise ArchiveError(f"the zip archive wants to write {member.filename!r} through a link to {folder}")
    if member.is_dir():
        os.makedirs(path, exist_ok=True)
        return
    os.makedirs(folder, exist_ok=True)
    if os.path.islink(path):
        os.unlink(path)
    if stat.S_ISLNK(mode):
        make_link(archive, member, path, root)
        return
    with archive.open(member) as packed, open(path, "wb") as file:
        copy_bounded(packed, file, member)
    if mode & 0o777:
        os.chmod(path, (mode & 0o777) | 0o600)


def make_link(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: str, root: str) -> None:
    if member.file_size > 4_096:
        raise ArchiveError(f"the zip archive has a link {member.filename!r} that is too long")
    goal = archive.read(member).decode()
    leads_to = os.path.normpath(os.path.join(os.path.dirname(os.path.realpath(path)), goal))
    if goal.startswith("/") or not (leads_to + os.sep).startswith(root + os.sep):
        raise ArchiveError(f"the zip archive has a link {member.filename!r} that leads out of its folder")
    if os.path.lexists(path):
        os.unlink(path)
    os.symlink(goal, path)


def copy_bounded(packed, file, member: zipfile.ZipInfo) -> None:
    shutil.copyfileobj(packed, file, 1_048_576)
    # zipfile gives at most what the directory of the archive announced, which was checked above.
    if file.tell() != member.file_size:
        raise ArchiveError(f"{member.filename!r} in the zip archive is not as long as it says")
