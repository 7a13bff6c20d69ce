import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeFrame, FRAME, PREAMBLE } from "../../../src/functions/transport/frames.ts";

/** An image of some files; `devices`: lines of `mksquashfs -p`. */
export function squashfsOf(
  files: Readonly<Record<string, string | Uint8Array>>,
  devices: readonly string[] = [],
): Buffer {
  const dir = mkdtempSync(join(tmpdir(), "image-"));
  try {
    const root = join(dir, "root");
    for (const [path, bytes] of Object.entries(files)) {
      mkdirSync(join(root, path, ".."), { recursive: true });
      writeFileSync(join(root, path), bytes, { mode: 0o755 });
    }
    const image = join(dir, "image");
    const nodes = devices.flatMap((device) => ["-p", device]);
    execFileSync("mksquashfs", [root, image, "-noappend", "-all-root", "-quiet", "-no-progress", ...nodes], {
      stdio: "ignore",
    });
    return readFileSync(image);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** A runtime without our agent: what its `/sbin/init` does, with the port to the host as `$port`. */
export function runtimeThat(
  does: string,
  busybox: Uint8Array,
  files: Record<string, Uint8Array> = {},
): Buffer {
  const init = `#!/bin/busybox sh
port=/dev/$(/bin/busybox basename /sys/class/virtio-ports/*)
${does}
while :; do /bin/busybox sleep 3600; done
`;
  return squashfsOf({ "bin/busybox": busybox, "sbin/init": init, ...files });
}

/** What a guest may say that is no frame, or more of one than it may. */
export const BAD_FRAMES: Readonly<Record<string, Buffer>> = {
  "a frame of four gigabytes": Buffer.concat([PREAMBLE, Buffer.from([255, 255, 255, 255, 5, 0, 0, 0, 1])]),
  "a greeting that is no JSON": Buffer.concat([PREAMBLE, encodeFrame(FRAME.hello, 0, Buffer.from("hello"))]),
  "a greeting in a stream of the host": Buffer.concat([
    PREAMBLE,
    encodeFrame(FRAME.hello, 0, Buffer.from("{}")),
    encodeFrame(FRAME.open, 1, Buffer.from('{"to":"api"}')),
  ]),
};

/** A program that takes the port to the host from its agent and writes to it what its visitor asks for. */
export const FRAME_WRITER = `
import asyncio, ctypes, os

libc = ctypes.CDLL(None, use_errno=True)
PIDFD_GETFD = 438

def port():
    agent = os.pidfd_open(1)
    for name in os.listdir("/proc/1/fd"):
        if "vport" in os.readlink(f"/proc/1/fd/{name}"):
            return libc.syscall(PIDFD_GETFD, agent, int(name), 0)

async def write(data):
    target = port()
    while data:
        try:
            data = data[os.write(target, data[:32768]):]
        except BlockingIOError:
            await asyncio.sleep(0.001)

SAID = {
    "/noise": lambda: os.urandom(1_000_000),
    "/length": lambda: b"\\xff\\xff\\xff\\xff\\x05\\0\\0\\0\\x01",
    "/flood": lambda: b"".join(b"\\0\\0\\0\\x0c\\x04" + n.to_bytes(4, "big") + b'{"to":"api"}' for n in range(2, 20_000, 2)),
    "/foreign": lambda: b"\\0\\0\\0\\0\\x06\\x7f\\xff\\xff\\xff" * 1000,
}

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        return
    said = SAID.get(scope["path"])
    if said is not None:
        await write(said())
        await asyncio.sleep(3)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"goes on"})
`;

/** A server that answers as no server should, by the path that it is asked for. */
export const BAD_SERVER = `
import os, socket, threading, time

def forever(connection, data):
    while True:
        connection.sendall(data)

def answer(connection):
    path = connection.recv(65536).split(b" ")[1].decode()
    say = connection.sendall
    if path == "/":
        say(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok")
    elif path == "/noise":
        say(os.urandom(100_000))
    elif path == "/header":
        say(b"HTTP/1.1 200 OK\\r\\n")
        forever(connection, b"X-More: " + b"x" * 1000 + b"\\r\\n")
    elif path == "/line":
        forever(connection, b"HTTP/1.1 200 " + b"x" * 65536)
    elif path == "/informed":
        forever(connection, b"HTTP/1.1 103 Early Hints\\r\\n\\r\\n" * 100)
    elif path == "/negative":
        say(b"HTTP/1.1 200 OK\\r\\nContent-Length: -1\\r\\n\\r\\n")
    elif path == "/both":
        say(b"HTTP/1.1 200 OK\\r\\nContent-Length: 5\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n0\\r\\n\\r\\n")
    elif path == "/chunk":
        say(b"HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\nfffffffffffffffff\\r\\n")
    elif path == "/half":
        say(b"HTTP/1.1 200 OK\\r\\nContent-Length: 1000\\r\\n\\r\\nhalf")
    elif path == "/endless":
        say(b"HTTP/1.1 200 OK\\r\\nConnection: close\\r\\n\\r\\n")
        forever(connection, b"x" * 65536)
    elif path == "/never":
        time.sleep(1000)
    connection.close()

def guarded(connection):
    try:
        answer(connection)
    except OSError:
        pass

server = socket.create_server(("127.0.0.1", 8080), backlog=64)
while True:
    threading.Thread(target=guarded, args=(server.accept()[0],), daemon=True).start()
`;
