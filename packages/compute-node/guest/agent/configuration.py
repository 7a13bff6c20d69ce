"""What makes a waiting machine the machine of one program."""

import base64
import io
import os
import re
import socket

from archives import unpack
from mounts import mount_volume
from network import set_network

API_SOCKET = "/tmp/socat-socket"
MAX_CODE_BYTES = 10_000_000
ENVIRONMENT_NAME = re.compile(r"[^=\0]+")


class ConfigurationError(Exception):
    """A program that cannot be started; with the traceback of its own code where there is one."""

    def __init__(self, message: str, traceback: str = "") -> None:
        super().__init__(message)
        self.traceback = traceback


async def apply_configuration(configuration, programs) -> None:
    """Source of the order: aleph-vm `runtimes/aleph-debian-12-python/init1.py`."""
    hostname = configuration.get("hostname") or hostname_of(configuration["vmHash"])
    set_identity(hostname, configuration["vmHash"])
    environment = make_environment(hostname, configuration.get("variables") or {})
    mount_code(configuration)
    for volume in configuration.get("volumes") or []:
        mount_volume(volume)
    set_network(configuration.get("network"))
    data = decode(configuration.get("dataBase64"), "data")
    if data is not None:
        unpack(io.BytesIO(data), "/data")
    set_authorized_keys(configuration.get("authorizedKeys") or [])
    await programs.start(configuration, decode(configuration.get("codeBase64"), "code"), environment)


def hostname_of(vm_hash: str) -> str:
    return base64.b32encode(bytes.fromhex(vm_hash)).decode().rstrip("=").lower()


def set_identity(hostname: str, vm_hash: str) -> None:
    socket.sethostname(hostname[:64])
    with open("/etc/hostname", "w", encoding="ascii") as file:
        file.write(f"{hostname}\n")
    with open("/etc/hosts", "w", encoding="ascii") as file:
        file.write(f"127.0.0.1 localhost {hostname}\n::1 localhost ip6-localhost\n")
    with open("/etc/machine-id", "w", encoding="ascii") as file:
        file.write(f"{vm_hash[:32]}\n")


def make_environment(hostname: str, variables):
    environment = {
        **os.environ,
        "ALEPH_INIT_VERSION": "3.0.0",
        "ALEPH_API_HOST": "http://localhost",
        "ALEPH_API_UNIX_SOCKET": API_SOCKET,
        "ALEPH_REMOTE_CRYPTO_HOST": "http://localhost",
        "ALEPH_REMOTE_CRYPTO_UNIX_SOCKET": API_SOCKET,
        "ALEPH_ADDRESS_TO_USE": hostname,
        "PORT": "8080",
    }
    for name, value in variables.items():
        if not ENVIRONMENT_NAME.fullmatch(name) or not isinstance(value, str) or "\0" in value:
            raise ConfigurationError(f"{name!r} cannot be an environment variable")
        environment[name] = value
    return environment


def mount_code(configuration) -> None:
    if configuration["encoding"] == "squashfs":
        device = configuration.get("codeDevice")
        if not device:
            raise ConfigurationError("code in a squashfs image needs a drive, and none is named")
        mount_volume({"mount": "/opt/code", "device": device, "readOnly": True, "fs": "squashfs"})


def decode(text, what: str):
    if text is None:
        return None
    data = base64.b64decode(text, validate=True)
    if len(data) > MAX_CODE_BYTES:
        raise ConfigurationError(f"the {what} archive has {len(data)} bytes, more than {MAX_CODE_BYTES}")
    return data


def set_authorized_keys(keys) -> None:
    if not keys:
        return
    os.makedirs("/root/.ssh", mode=0o700, exist_ok=True)
    descriptor = os.open("/root/.ssh/authorized_keys", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf8") as file:
        file.writelines(f"{key}\n" for key in keys)
