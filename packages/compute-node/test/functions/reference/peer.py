"""A guest of the reference's runtimes and its hypervisor's socket, written from the description of the protocol alone.

python3 peer.py SOCKET VERSION: the host connects to SOCKET; the greeting goes to SOCKET_52. One JSON line for each thing
that was said to it goes to standard output.
"""

import json
import os
import socket
import struct
import sys


def pack(value):
    if value is None:
        return b"\xc0"
    if value is True or value is False:
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        return b"\xcd" + struct.pack(">H", value) if value > 127 else bytes([value])
    if isinstance(value, str):
        data = value.encode()
        return b"\xdb" + struct.pack(">I", len(data)) + data
    if isinstance(value, bytes):
        return b"\xc6" + struct.pack(">I", len(value)) + value
    if isinstance(value, (list, tuple)):
        return b"\xdd" + struct.pack(">I", len(value)) + b"".join(map(pack, value))
    return b"\xdf" + struct.pack(">I", len(value)) + b"".join(pack(k) + pack(v) for k, v in value.items())


class Unpacker:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, size):
        part = self.data[self.at : self.at + size]
        assert len(part) == size, "cut off"
        self.at += size
        return part

    def number(self, form):
        return struct.unpack(">" + form, self.take(struct.calcsize(form)))[0]

    def value(self):
        kind = self.number("B")
        if kind < 0x80:
            return kind
        if kind < 0x90:
            return self.map(kind & 15)
        if kind < 0xA0:
            return self.array(kind & 15)
        if kind < 0xC0:
            return self.take(kind & 31).decode()
        if kind >= 0xE0:
            return kind - 256
        fixed = {0xC0: None, 0xC2: False, 0xC3: True}
        if kind in fixed:
            return fixed[kind]
        if kind in (0xC4, 0xC5, 0xC6):
            return bytes(self.take(self.number("BHI"[kind - 0xC4])))
        if kind in (0xCA, 0xCB):
            return self.number("fd"[kind - 0xCA])
        if kind in range(0xCC, 0xD4):
            return self.number("BHIQbhiq"[kind - 0xCC])
        if kind in (0xD9, 0xDA, 0xDB):
            return self.take(self.number("BHI"[kind - 0xD9])).decode()
        if kind in (0xDC, 0xDD):
            return self.array(self.number("HI"[kind - 0xDC]))
        if kind in (0xDE, 0xDF):
            return self.map(self.number("HI"[kind - 0xDE]))
        raise ValueError(hex(kind))

    def array(self, size):
        return [self.value() for _ in range(size)]

    def map(self, size):
        return {self.value(): self.value() for _ in range(size)}


def unpack(data):
    unpacker = Unpacker(data)
    value = unpacker.value()
    assert unpacker.at == len(data), "more than one value"
    return value


def shown(value):
    if isinstance(value, bytes):
        return {"bytes": value.decode("latin1")}
    if isinstance(value, list):
        return [shown(item) for item in value]
    if isinstance(value, dict):
        return {key: shown(item) for key, item in value.items()}
    return value


def tell(kind, value):
    print(json.dumps({"kind": kind, "value": shown(value)}), flush=True)


VERSION_1_KEYS = {
    "input_data", "interface", "vm_hash", "encoding", "entrypoint", "code", "ip", "route", "dns_servers", "volumes",
    "variables",
}


def configure(connection, version):
    line = b""
    while not line.endswith(b"\n"):
        line += connection.recv(1)
        assert len(line) <= 9, "the line of the length is too long"
    data = b""
    while len(data) < int(line):
        data += connection.recv(1_000_000)
    configuration = unpack(data)
    tell("configuration", configuration)
    if version == "1.0.0" and set(configuration) != VERSION_1_KEYS:
        return {"success": False, "error": "unknown keys", "traceback": "Traceback of the guest"}
    if configuration["entrypoint"] == "broken:app":
        return {"success": False, "error": "no module named broken", "traceback": "Traceback of the guest"}
    return {"success": True}


def run(scope):
    tell("scope", scope)
    if scope["type"] != "http":
        if scope["body"] == "fail":
            return pack({"error": "the event failed", "traceback": "Traceback of the event", "output": ""})
        return pack({"headers": {}, "body": {}, "output": "", "output_data": b""})
    path = scope["path"]
    if path == "/empty":
        return b""
    if path == "/invalid":
        return b"\xc1 this is no msgpack"
    if path == "/fails":
        return pack({"error": "it failed", "traceback": "Traceback of the program", "output": ""})
    headers = [[b"Content-Type", b"text/plain"], [b"set-cookie", b"a=1"], [b"set-cookie", b"b=2"]]
    start = {"type": "http.response.start", "status": 201, "headers": headers}
    body = {"type": "http.response.body", "body": b"you sent " + scope["body"]}
    return pack({"headers": start, "body": body, "output": "", "output_data": b""})


def read_line(connection):
    line = b""
    while not line.endswith(b"\n"):
        part = connection.recv(1)
        if not part:
            return None
        line += part
    return line


def serve(path, version):
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    server.listen(64)
    if version is not None:
        greeting = socket.socket(socket.AF_UNIX)
        greeting.connect(path + "_52")
        if version != "1.0.0":
            greeting.sendall(pack({"version": version}))
        greeting.close()
    is_configured = False
    while True:
        connection, _ = server.accept()
        line = read_line(connection)
        if line != b"CONNECT 52\n":
            connection.close()
            continue
        connection.sendall(b"OK 1073741824\n")
        if not is_configured:
            answer = configure(connection, version)
            is_configured = answer["success"]
            connection.sendall(pack(answer))
        else:
            payload = connection.recv(10_000_000)
            if payload == b"halt":
                tell("halt", None)
                connection.sendall(b"STOP\n")
                connection.sendall(b"STOPZ\n")
                connection.close()
                return
            connection.sendall(run(unpack(payload)["scope"]))
        connection.close()


if __name__ == "__main__":
    serve(sys.argv[1], sys.argv[2])
    os._exit(0)
