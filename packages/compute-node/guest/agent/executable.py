"""Programs that bring a web server of their own."""

import io
import os

from archives import unpack
from configuration import ConfigurationError

CODE_FOLDER = "/opt/code"

#: Of a file that the kernel cannot start itself.
INTERPRETERS = {
    ".js": "node",
    ".mjs": "node",
    ".cjs": "node",
    ".py": "python3",
    ".sh": "sh",
}
ELF = b"\x7fELF"


def install_code(configuration, code) -> str:
    """Path of the entry file."""
    entrypoint = configuration["entrypoint"]
    encoding = configuration["encoding"]
    path = os.path.normpath(os.path.join(CODE_FOLDER, entrypoint))
    if not path.startswith(CODE_FOLDER + os.sep):
        raise ConfigurationError(f"the entry point {entrypoint!r} lies outside of the program's code")
    if encoding == "plain":
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(code or b"")
    elif encoding == "zip":
        unpack(io.BytesIO(code or b""), CODE_FOLDER)
    elif encoding != "squashfs":
        raise ConfigurationError(f"there is no encoding called {encoding!r}")
    if not os.path.isfile(path):
        raise ConfigurationError(f"the program's code has no file {entrypoint!r}, which is its entry point")
    return path


def start_command(path: str, arguments):
    with open(path, "rb") as file:
        head = file.read(4)
    interpreter = INTERPRETERS.get(os.path.splitext(path)[1])
    if head.startswith((ELF, b"#!")) or interpreter is None:
        make_executable(path)
        return [path, *arguments]
    return ["/usr/bin/env", interpreter, path, *arguments]


def make_executable(path: str) -> None:
    if os.access(path, os.X_OK):
        return
    try:
        os.chmod(path, 0o755)
    except OSError as error:
        raise ConfigurationError(f"{path} is not executable, and cannot be made so: {error}") from error
