import assert from "node:assert/strict";
import { mkdtemp, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { TransportError } from "../../src/functions/transport/errors.ts";
import { packSquashfs } from "../../src/images/build/squashfs.ts";
import { runTool } from "../../src/processes/run-tool.ts";
import { createTestHost, type TestHost } from "../hypervisor/support/test-host.ts";
import {
  connectFunctionGuest,
  type FunctionGuest,
  functionSpec,
  get,
  program,
  startFunctionGuest,
  VM_HASH,
} from "./function-guest.ts";

const PYTHON_APP = `
import asyncio, os, socket
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

web = FastAPI()
counted = {"starts": 0, "requests": 0}
events = []

@web.on_event("startup")
async def start():
    counted["starts"] += 1

@web.get("/facts")
def facts():
    counted["requests"] += 1
    return {
        **counted,
        "hostname": socket.gethostname(),
        "variables": {name: os.environ.get(name) for name in ["GREETING", "ALEPH_API_UNIX_SOCKET", "ALEPH_ADDRESS_TO_USE"]},
        "events": events,
        "data": open("/data/note.txt").read(),
        "volume": os.statvfs("/mnt/scratch").f_blocks * os.statvfs("/mnt/scratch").f_frsize,
    }

@web.get("/large")
def large():
    return StreamingResponse(iter([b"0123456789" * 10_000] * 50))

@web.get("/properties")
async def properties():
    reader, writer = await asyncio.open_unix_connection("/tmp/socat-socket")
    writer.write(b"GET /properties HTTP/1.0\\r\\n\\r\\n")
    return {"answer": (await reader.read()).decode()}

@web.get("/crash")
def crash():
    os._exit(7)

async def app(scope, receive, send):
    if scope["type"] == "aleph.message":
        event = await receive()
        events.append(event["body"])
        await send({"type": "done", "length": len(event["body"])})
    else:
        await web(scope, receive, send)
`;

/** Makes a zip archive with the tool of Python, whose names nobody checks. */
function zip(members: Readonly<Record<string, string>>, signal: AbortSignal): Promise<string> {
  const script = `
import base64, io, json, sys, zipfile
target = io.BytesIO()
with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
    for name, text in json.load(sys.stdin).items():
        member = zipfile.ZipInfo(name.removeprefix("link:"))
        if name.startswith("link:"):
            member.external_attr = 0o120777 << 16
        archive.writestr(member, text)
print(base64.b64encode(target.getvalue()).decode())`;
  return runTool("python3", ["-c", script], { input: JSON.stringify(members), signal }).then((out) =>
    out.trim(),
  );
}

describe("the agent of guests, in real QEMU", { timeout: 900_000 }, () => {
  const signal = AbortSignal.timeout(880_000);
  let host: TestHost;
  let vmNumber = 1;
  before(async () => {
    host = await createTestHost();
  });
  after(() => host[Symbol.asyncDispose]());

  const start = async (kind: "python" | "node" | "binary", changes = {}): Promise<FunctionGuest> => {
    vmNumber += 1;
    return startFunctionGuest(host, await functionSpec(host, vmNumber, kind, changes, signal), signal);
  };

  describe("a Python application", () => {
    let guest: FunctionGuest;
    before(async () => {
      guest = await start("python");
    });
    after(() => guest[Symbol.asyncDispose]());

    it("is refused with the reason and the traceback while it cannot start", async () => {
      assert.deepEqual([guest.connection.hello.configured, guest.connection.hello.runtime], [null, "python"]);
      const outside = await zip({ "../../etc/evil": "x" }, signal);
      const refuse = async (configuration: ReturnType<typeof program>, reason: RegExp): Promise<string> => {
        const error = await guest.connection.configure(configuration, signal).then(
          () => null,
          (failure: unknown) => failure,
        );
        assert.ok(error instanceof TransportError, "it was refused");
        assert.match(error.message, reason);
        return error.traceback ?? "";
      };
      const zipped = { encoding: "zip", entrypoint: "main:app" };
      await refuse(program("", { ...zipped, codeBase64: outside }), /'\.\.\/\.\.\/etc\/evil', outside/);
      const link = await zip({ "link:out": "/etc", "out/passwd": "x" }, signal);
      await refuse(program("", { ...zipped, codeBase64: link }), /leads out of its folder/);
      await refuse(program("", { ...zipped, codeBase64: "AAAA" }), /zip archive cannot be read/);
      await refuse(program("", { volumes: [{ mount: "/", device: "vdb" }] }), /cannot be mounted on/);
      await refuse(program("", { variables: { "A=B": "x" } }), /cannot be an environment variable/);
      assert.match(await refuse(program("x = 1\nraise KeyError('lost')"), /lost/), /program\.py", line 2/);
    });

    it("gets variables, data, volumes, a host name, and its start-up event once", async () => {
      const data = await zip({ "note.txt": "from the archive" }, signal);
      const volumes = [{ mount: "/mnt/scratch", device: "", readOnly: false, fs: "tmpfs", sizeMib: 8 }];
      const configuration = program(PYTHON_APP, { variables: { GREETING: "hi" }, dataBase64: data, volumes });
      await guest.connection.configure(configuration, signal);
      const { status, body } = await get(guest, "/facts", signal);
      assert.equal(status, 200, body);
      assert.deepEqual(JSON.parse(body), {
        starts: 1,
        requests: 1,
        hostname: "guest-of-a-test",
        variables: {
          GREETING: "hi",
          ALEPH_API_UNIX_SOCKET: "/tmp/socat-socket",
          ALEPH_ADDRESS_TO_USE: "guest-of-a-test",
        },
        events: [],
        data: "from the archive",
        volume: 8_388_608,
      });
    });

    it("answers with more than the window of a stream", async () => {
      const answers = await Promise.all([1, 2, 3].map(() => get(guest, "/large", signal)));
      for (const { body } of answers) assert.equal(body, "0123456789".repeat(500_000));
    });

    it("takes messages as events", async () => {
      const event = { type: "aleph.message", body: '{"item_hash":"…"}' };
      await guest.connection.sendEvent(event, signal);
      assert.deepEqual(JSON.parse((await get(guest, "/facts", signal)).body).events, [event.body]);
    });

    it("reaches the guest API through its socket", async () => {
      const answer = get(guest, "/properties", signal);
      const { value: stream } = await guest.apiStreams.next();
      for await (const request of stream) {
        assert.match(String(request), /^GET \/properties HTTP\/1\.0/);
        stream.end("HTTP/1.0 200 OK\r\n\r\nproperties");
        break;
      }
      assert.match(JSON.parse((await answer).body).answer, /properties$/);
    });

    it("goes on when the host connects anew", async () => {
      guest.connection.close();
      const again = await connectFunctionGuest(guest.vm, signal);
      guest = again;
      assert.equal(again.connection.hello.configured, VM_HASH);
      const facts = JSON.parse((await get(again, "/facts", signal)).body);
      assert.equal(facts.starts, 1);
      assert.equal(facts.requests, 3);
    });

    it("is started again when it crashed", async () => {
      await assert.rejects(get(guest, "/crash", signal));
      for (;;) {
        const facts = await get(guest, "/facts", signal).catch(() => null);
        if (facts?.status !== 200) {
          // Asking without a pause would take the processor from the guest.
          await sleep(200);
          continue;
        }
        assert.equal(JSON.parse(facts.body).requests, 1);
        break;
      }
    });

    it("ends in order when the host says so", async () => {
      await guest.connection.halt(signal);
      assert.equal((await guest.vm.exited).reason, "guest-shutdown");
    });
  });

  it("runs a module of a squashfs image, and keeps what is written to a volume", async () => {
    const folder = await mkdtemp(join(host.dir, "code-"));
    const code = join(host.dir, "code.squashfs");
    const volume = join(host.dir, "volume.ext4");
    const source = `
import pathlib
async def app(scope, receive, send):
    if scope["type"] != "http":
        raise ValueError("no lifespan here")
    pathlib.Path("/mnt/kept/note").write_text("written")
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": __file__.encode()})
`;
    await runTool("mkdir", ["-p", join(folder, "pkg")], { signal });
    await runTool("tee", [join(folder, "pkg", "web.py")], { input: source, signal });
    await packSquashfs(folder, code, { folder: host.dir, signal });
    await runTool("truncate", ["-s", "16M", volume], { signal });
    await runTool("/sbin/mke2fs", ["-q", "-t", "ext4", volume], { signal });
    const disk = { format: "raw", media: "disk" } as const;
    const drives = [
      { ...disk, path: code, isReadOnly: true },
      { ...disk, path: volume, isReadOnly: false },
    ];
    await using guest = await start("python", { drives });
    const volumes = [{ mount: "/mnt/kept", device: "vdc", readOnly: false, fs: "ext4" }];
    const how = { encoding: "squashfs", entrypoint: "pkg.web:app", codeBase64: null, codeDevice: "vdb" };
    await guest.connection.configure(program("", { ...how, volumes }), signal);
    assert.equal((await get(guest, "/", signal)).body, "/opt/code/pkg/web.py");
    await guest.connection.halt(signal);
    await guest.vm.exited;
    const note = await runTool("/sbin/debugfs", ["-R", "cat /note", volume], { signal });
    assert.equal(note, "written");
  });

  it("starts JavaScript with node, when it answers", async () => {
    await using guest = await start("node");
    const code = `
require("node:http").createServer((request, response) => {
  response.end(JSON.stringify([process.version.split(".")[0], process.argv.slice(2), request.url]));
}).listen(process.env.PORT);`;
    const how = { interface: "executable", entrypoint: "server.js", args: ["--fast"] };
    await guest.connection.configure(program(code, how), signal);
    assert.deepEqual(JSON.parse((await get(guest, "/a?b", signal)).body), ["v18", ["--fast"], "/a?b"]);
  });

  it("serves ASGI applications on a runtime that has Python alone", async () => {
    await using guest = await start("binary");
    const code = `
import uvicorn
async def app(scope, receive, send):
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": uvicorn.__file__.encode()})`;
    await guest.connection.configure(program(code), signal);
    assert.match((await get(guest, "/", signal)).body, /^\/usr\/lib\/twentysix\/libraries\/uvicorn/);
  });

  it("starts any program that brings its own server", async () => {
    await using guest = await start("binary");
    const how = { interface: "executable", entrypoint: "bin/run", encoding: "zip" };
    const ends = program("", { ...how, codeBase64: await zip({ "bin/run": "#!/bin/sh\nexit 3\n" }, signal) });
    await assert.rejects(guest.connection.configure(ends, signal), /ended before it listened.*exit code 3/);
    const busybox = await readFile("/bin/busybox");
    const plain = {
      interface: "executable",
      entrypoint: "httpd",
      args: ["-f", "-p", "8080", "-h", "/etc"],
    };
    await guest.connection.configure(program(busybox, plain), signal);
    assert.match((await get(guest, "/hostname", signal)).body, /^guest-of-a-test\n$/);
  });
});
