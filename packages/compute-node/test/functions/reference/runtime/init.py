#!/usr/bin/python3.11
"""The init of a runtime that speaks the reference's protocol on vsock, written from the description of it alone.

It stands in for a published runtime: an overlay over its read-only root, a listener on port 52, a greeting to port 52 of
the host, the guest API of the host's port 53 on /tmp/socat-socket, and ASGI applications that run in this process.
"""

import asyncio
import ctypes
import io
import os
import socket
import subprocess
import sys
import threading
import traceback
import zipfile

sys.path.insert(0, "/opt/runtime")
from peer import pack, unpack

LIBC = ctypes.CDLL(None, use_errno=True)

HOST = 2
PORT = 52
API_PORT = 53
API_SOCKET = "/tmp/socat-socket"
VERSION = open("/opt/runtime/version").read().strip()


def call(name, *words):
    if getattr(LIBC, name)(*(word.encode() if isinstance(word, str) else word for word in words)) != 0:
        raise OSError(ctypes.get_errno(), f"{name} {words}")


def mount(source, target, kind, flags=0, options=None):
    call("mount", source, target, kind, ctypes.c_ulong(flags), options)


MS_RDONLY, MS_MOVE = 1, 8192


def make_root_writable():
    mount("proc", "/proc", "proc")
    mount("tmpfs", "/mnt", "tmpfs")
    for name in ("root", "work", "new"):
        os.mkdir(f"/mnt/{name}")
    mount("overlay", "/mnt/new", "overlay", 0, "lowerdir=/,upperdir=/mnt/root,workdir=/mnt/work")
    os.mkdir("/mnt/new/rom")
    os.chdir("/mnt/new")
    call("pivot_root", ".", "rom")
    for name in ("proc", "dev"):
        mount(f"/rom/{name}", f"/{name}", None, MS_MOVE)
    mount("sysfs", "/sys", "sysfs")
    mount("tmpfs", "/run", "tmpfs")
    os.makedirs("/dev/pts", exist_ok=True)
    mount("devpts", "/dev/pts", "devpts")
    os.environ["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin"


def forward(source, target):
    while data := source.recv(65_536):
        target.sendall(data)
    target.shutdown(socket.SHUT_WR)


def serve_api():
    server = socket.socket(socket.AF_UNIX)
    server.bind(API_SOCKET)
    server.listen(16)
    while True:
        client, _ = server.accept()
        host = socket.socket(socket.AF_VSOCK)
        host.connect((HOST, API_PORT))
        threading.Thread(target=forward, args=(client, host), daemon=True).start()
        threading.Thread(target=forward, args=(host, client), daemon=True).start()


def run_tool(*words):
    subprocess.run(words, check=True)


def set_up(configuration):
    socket.sethostname(configuration["vm_hash"][:63])
    os.environ["ALEPH_INIT_VERSION"] = VERSION
    os.environ["ALEPH_API_HOST"] = "http://localhost"
    os.environ["ALEPH_API_UNIX_SOCKET"] = API_SOCKET
    os.environ.update(configuration["variables"] or {})
    for volume in configuration["volumes"]:
        os.makedirs(volume["mount"], exist_ok=True)
        kind, flags = ("squashfs", MS_RDONLY) if volume["read_only"] else ("ext4", 0)
        mount(f"/dev/{volume['device']}", volume["mount"], kind, flags)
    if configuration["ip"]:
        run_tool("ip", "link", "set", "lo", "up")
        run_tool("ip", "address", "add", f"{configuration['ip']}/24", "dev", "eth0")
        run_tool("ip", "link", "set", "eth0", "up")
        run_tool("ip", "route", "add", "default", "via", configuration["route"])
        lines = [f"nameserver {server}\n" for server in configuration["dns_servers"]]
        open("/etc/resolv.conf", "w").writelines(lines)
    if configuration["input_data"]:
        zipfile.ZipFile(io.BytesIO(configuration["input_data"])).extractall("/data")


def load(configuration):
    sys.path[:0] = ["/opt/packages", "/opt"]
    entrypoint = configuration["entrypoint"]
    if configuration["encoding"] == "plain":
        names = {}
        exec(compile(configuration["code"], "main.py", "exec"), names)
        return names[entrypoint]
    if configuration["encoding"] == "zip":
        zipfile.ZipFile(io.BytesIO(configuration["code"])).extractall("/opt")
    else:
        sys.path.insert(0, "/opt/code")
    module, attribute = entrypoint.split(":")
    return getattr(__import__(module), attribute)


async def run(application, scope):
    body = scope.pop("body", b"")
    first = {}

    async def receive():
        kind = "http.request" if scope["type"] == "http" else scope["type"]
        return {"type": kind, "body": body, "more_body": False}

    async def send(event):
        first.setdefault("headers" if event["type"].endswith("start") else "body", event)

    await application(scope, receive, send)
    return {"headers": first.get("headers", {}), "body": first.get("body", {}), "output": "", "output_data": b""}


def read_configuration(connection):
    line = b""
    while not line.endswith(b"\n"):
        line += connection.recv(1)
    data = b""
    while len(data) < int(line):
        data += connection.recv(1_000_000)
    return unpack(data)


def answer(action):
    try:
        return pack(action())
    except Exception as error:
        return pack({"success": False, "error": str(error), "traceback": traceback.format_exc(), "output": ""})


def main():
    make_root_writable()
    server = socket.socket(socket.AF_VSOCK)
    server.bind((socket.VMADDR_CID_ANY, PORT))
    server.listen(16)
    greeting = socket.socket(socket.AF_VSOCK)
    greeting.connect((HOST, PORT))
    if VERSION != "1.0.0":
        greeting.sendall(pack({"version": VERSION}))
    greeting.close()
    threading.Thread(target=serve_api, daemon=True).start()
    application = None

    def configure(connection):
        nonlocal application
        configuration = read_configuration(connection)
        set_up(configuration)
        application = load(configuration)
        return {"success": True}

    while True:
        connection, _ = server.accept()
        if application is None:
            connection.sendall(answer(lambda: configure(connection)))
        else:
            payload = connection.recv(10_000_000)
            if payload == b"halt":
                connection.sendall(b"STOP\n")
                connection.sendall(b"STOPZ\n")
                connection.close()
                os.sync()
                LIBC.reboot(0x01234567)
            connection.sendall(answer(lambda: asyncio.run(run(application, unpack(payload)["scope"]))))
        connection.close()


main()
