"""Packages that a program brings along come before those that this process has imported already."""

import os
import sys

LIBRARY_FOLDERS = ("dist-packages", "site-packages", "/opt/aleph/libs", "/usr/lib/twentysix/libraries")


def forget_replaced_modules(folders) -> None:
    """
    Where the program has a package of its own that was imported here in another version, everything that is not of
    Python itself is imported anew: halves of two versions do not fit. The server keeps the modules that it has.
    """
    libraries = {name for name, module in list(sys.modules.items()) if is_library(module)}
    packages = {name.partition(".")[0] for name in libraries}
    if any(exists(folder, package) for folder in folders for package in packages):
        for name in libraries:
            del sys.modules[name]


def is_library(module) -> bool:
    path = getattr(module, "__file__", None) or ""
    return any(folder in path for folder in LIBRARY_FOLDERS)


def exists(folder: str, package: str) -> bool:
    path = os.path.join(folder, package)
    return os.path.isdir(path) or os.path.isfile(f"{path}.py")
