"""Volumes of a program."""

import ctypes
import fcntl
import os
import re

MS_RDONLY, MS_NOSUID, MS_NODEV = 1, 2, 4
MNT_DETACH = 2
#: Linux `include/uapi/linux/fs.h`: what the kernel remembers of a device is forgotten.
BLKFLSBUF = 0x1261

DEVICE_NAME = re.compile(r"vd[a-z]")
FILE_SYSTEMS = ("squashfs", "ext4", "tmpfs")

_mounted = []
_libc = ctypes.CDLL(None, use_errno=True)


def mounted_volumes():
    return list(_mounted)


def mount_volume(volume) -> None:
    """{"mount", "device", "readOnly", "fs", "sizeMib"}, as the host describes it."""
    kind = volume.get("fs") or ("squashfs" if volume.get("readOnly") else "ext4")
    if kind not in FILE_SYSTEMS:
        raise ValueError(f"{volume['mount']} wants the file system {kind}, which is none of {FILE_SYSTEMS}")
    target = os.path.normpath(volume["mount"])
    if not target.startswith("/") or target == "/":
        raise ValueError(f"a volume cannot be mounted on {volume['mount']!r}")
    os.makedirs(target, exist_ok=True)
    flags = MS_RDONLY if volume.get("readOnly") else 0
    if kind == "tmpfs":
        size = f"size={int(volume['sizeMib'])}m" if volume.get("sizeMib") else "size=50%"
        _mount("volume", target, kind, flags, f"{size},mode=755")
    else:
        _mount(prepare_device(volume["device"]), target, kind, flags | MS_NODEV, "")
    _mounted.append(target)


def prepare_device(name: str) -> str:
    """Path of a drive. After a resume it is another file than the one whose first bytes were read at boot."""
    if not DEVICE_NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no drive of this machine")
    path = f"/dev/{name}"
    device = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.ioctl(device, BLKFLSBUF, 0)
    finally:
        os.close(device)
    return path


def unmount(path: str) -> None:
    # Detached: a program that is ended still may have files open in it.
    if _libc.umount2(os.fsencode(path), 0) != 0:
        _check(_libc.umount2(os.fsencode(path), MNT_DETACH), path)


def _mount(source: str, target: str, kind: str, flags: int, data: str) -> None:
    encoded = [os.fsencode(text) for text in (source, target, kind)]
    _check(_libc.mount(*encoded, ctypes.c_ulong(flags), data.encode()), f"{source} on {target} ({kind})")


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
