"""The code of a program, and the ASGI application in it."""

import base64
import importlib
import os
import sys
import types

PACKAGES_FOLDER = "/opt/packages"
ZIP_FOLDER = "/opt"
CODE_FOLDER = "/opt/code"
PLAIN_NAME = "program"


def load_application(program, before_import):
    """`before_import(folders)` is called with the folders of the program before anything in them is imported."""
    folders = set_import_path(program["encoding"])
    code = None if program["code"] is None else base64.b64decode(program["code"])
    before_import(folders)
    if program["encoding"] == "plain":
        return load_plain(code or b"", program["entrypoint"])
    return load_module(program["entrypoint"])


def set_import_path(encoding: str):
    code_folder = {"zip": [ZIP_FOLDER], "squashfs": [CODE_FOLDER]}.get(encoding, [])
    extra = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    folders = [*code_folder, PACKAGES_FOLDER, *extra]
    # The first was the folder of this interpreter's own modules, which are imported by now.
    sys.path[:] = [*folders, *sys.path[1:]]
    return folders


def load_plain(code: bytes, entrypoint: str):
    """Source that is run as a module; `entrypoint` names the application in it."""
    os.makedirs(CODE_FOLDER, exist_ok=True)
    path = os.path.join(CODE_FOLDER, f"{PLAIN_NAME}.py")
    # So that tracebacks show its lines.
    with open(path, "wb") as file:
        file.write(code)
    module = types.ModuleType(PLAIN_NAME)
    module.__file__ = path
    sys.modules[PLAIN_NAME] = module
    exec(compile(code, path, "exec"), module.__dict__)
    return find(module, entrypoint.rpartition(":")[2], entrypoint)


def load_module(entrypoint: str):
    name, separator, attribute = entrypoint.partition(":")
    if not separator:
        raise ValueError(f"the entry point {entrypoint!r} is not of the form module:application")
    return find(importlib.import_module(name), attribute, entrypoint)


def find(module, attribute: str, entrypoint: str):
    found = module
    for part in attribute.split("."):
        found = getattr(found, part, None)
        if found is None:
            raise AttributeError(f"the entry point {entrypoint!r} names nothing that the program has")
    return found
