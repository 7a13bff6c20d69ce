import assert from "node:assert/strict";
import { openAsBlob, readFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { get } from "node:http";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { functionRuntime } from "../../src/images/build/function-runtimes.ts";
import { kernelImage } from "../../src/images/build/host-images.ts";
import { imageFile } from "../../src/images/build/image-store.ts";
import { buildOptions, IMAGES_FOLDER } from "../images/support.ts";
import { smallProgram, startTargetNode, type TargetNode } from "../support/target-node.ts";
import { squashfsHead } from "./support/bad-images.ts";
import { refusedPrograms, storeBadFiles } from "./support/bad-messages.ts";
import { type Heartbeat, startHeartbeat } from "./support/heartbeat.ts";
import { BAD_FRAMES, BAD_SERVER, FRAME_WRITER, runtimeThat, squashfsOf } from "./support/hostile-runtimes.ts";
import { crowdedArchive, SYMBOLIC_LINK, zipArchive } from "./support/zip-archive.ts";

const HEALTHY = `
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"healthy"})
`;
const MAIN = { name: "main.py", bytes: HEALTHY };
const MIB = 1_048_576;
/** Guests that are waited for in vain take minutes under emulation. */
const isShort = process.env.TWENTYSIX_TEST_VM === "short";
/** On two busy processors, where guests are emulated. */
const MAX_VISIT_MS = 30_000;
/** Of the node and the core node, which are this process. */
const MAX_GROWTH_BYTES = 600 * MIB;

/** What strangers may bring into a machine, all on one node, on which a program answers all the while. */
describe("guests that mean harm", { timeout: 900_000 }, () => {
  let node: TargetNode;
  let python: string;
  let codes: string;
  let heartbeat: Heartbeat;
  let residentBytes: number;
  let slow: Promise<void>;

  before(async () => {
    const options = buildOptions(AbortSignal.timeout(600_000));
    const { squashfsPath } = await functionRuntime(IMAGES_FOLDER, "python", options);
    node = await startTargetNode({ ipv4Pool: "10.232.0.0/16", firstHostPort: 38_100 });
    const { client, owner } = node.core;
    const file = await openAsBlob(squashfsPath);
    const payment = { type: "credit" } as const;
    python = (await client.storeFile({ account: owner, file, payment, sync: true })).itemHash;
    codes = await node.store(HEALTHY);
    const healthy = await node.program(smallProgram(python, codes));
    const { status, text } = await node.visit(healthy);
    assert.deepEqual([status, text], [200, "healthy"], JSON.stringify(await node.listed(healthy)));
    await templateIsMade(node);
    residentBytes = process.memoryUsage().rss;
    heartbeat = startHeartbeat(() => node.visit(healthy));
    slow = isShort ? Promise.resolve() : expectNeverReady();
    slow.catch(() => undefined);
  });
  after(async () => {
    heartbeat?.stop();
    await node[Symbol.asyncDispose]();
  });

  const coded = (encoding: string, entrypoint: string, ref: string, more: object = {}): object => ({
    code: { encoding, entrypoint, ref, use_latest: false, ...more },
  });
  const publish = (content: object): Promise<string> => node.program(smallProgram(python, codes, content));
  /** Visits a program that cannot run, and looks at what its owner and this host are left with. */
  const expectFailed = async (what: string, content: object, code: string, reason: RegExp): Promise<void> => {
    const vmHash = await publish(content);
    const { status, text } = await node.visit(vmHash);
    assert.equal(status, 500, `${what}: ${text}`);
    assert.equal((JSON.parse(text) as { code: string }).code, code, what);
    const listed = await node.listed(vmHash);
    assert.deepEqual([listed?.state, listed?.reason?.code], ["failed", code], what);
    assert.match(listed?.reason?.text ?? "", reason, what);
    assert.deepEqual(await node.leftOf(vmHash), [], what);
  };
  /** One that runs and answers so; it is ended by the end of the test. */
  const expectServed = async (what: string, content: object, body: RegExp): Promise<void> => {
    const vmHash = await publish(content);
    const { status, text } = await node.visit(vmHash);
    assert.deepEqual([status, (await node.listed(vmHash))?.reason ?? null], [200, null], what);
    assert.match(text, body, what);
  };

  async function expectNeverReady(): Promise<void> {
    const never = await node.store(await hostileRuntime("true"));
    const runtime = { ref: never, use_latest: false, comment: "" };
    await expectFailed("never ready", { runtime }, "GUEST_INIT_FAILED", /did not boot in its time/);
  }

  test("are refused beside a program that goes on when their messages are wrong", async () => {
    for (const [what, content, code] of refusedPrograms(await storeBadFiles(node))) {
      const { text } = await node.visit(await publish(content));
      assert.equal((JSON.parse(text) as { code: string }).code, code, what);
    }
  });

  test("bring archives that lead out, swell or crowd, and are told so", async () => {
    const zeros = Buffer.alloc(64 * MIB);
    const archives: readonly (readonly [string, Buffer, RegExp])[] = [
      [
        "up",
        zipArchive([MAIN, { name: "../../evil.py", bytes: "" }]),
        /'\.\.\/\.\.\/evil\.py', outside of its folder/,
      ],
      ["absolute", zipArchive([MAIN, { name: "/etc/passwd", bytes: "" }]), /'\/etc\/passwd', outside/],
      ["backwards", zipArchive([MAIN, { name: "..\\evil", bytes: "" }]), /outside of its folder/],
      [
        "link",
        zipArchive([MAIN, { name: "out", bytes: "/etc", mode: SYMBOLIC_LINK }]),
        /leads out of its folder/,
      ],
      [
        "through a link",
        zipArchive([
          MAIN,
          { name: "a/b", bytes: "../..", mode: SYMBOLIC_LINK },
          { name: "a/b/evil", bytes: "" },
        ]),
        /leads out of its folder/,
      ],
      ["encrypted", zipArchive([{ ...MAIN, isEncrypted: true }]), /is encrypted/],
      ["announced bomb", zipArchive([{ ...MAIN, announcedBytes: 2 ** 31 }]), /unpacks to 2147483648 bytes/],
      ["lying bomb", zipArchive([{ name: "main.py", bytes: zeros, announcedBytes: 10 }]), /Bad CRC-32/],
      [
        "larger than its machine",
        zipArchive(Array.from({ length: 8 }, (_, index) => ({ name: `zeros-${index}`, bytes: zeros }))),
        /No space left on device/,
      ],
      ["crowded", crowdedArchive(9_900_000), /members, more than 100000/],
      ["none", Buffer.from("PK\x03\x04 and nothing else"), /not a zip file/],
    ];
    for (const [what, bytes, reason] of archives) {
      const content = coded("zip", "main:app", await node.store(bytes));
      await expectFailed(what, content, "GUEST_SETUP_FAILED", reason);
    }
    const twice = zipArchive([{ name: "main.py", bytes: "raise SystemExit" }, MAIN]);
    await expectServed("one name twice", coded("zip", "main:app", await node.store(twice)), /healthy/);
  });

  test("bring images that are damaged, or hold devices", async () => {
    const head = await node.store(squashfsHead());
    const runtime = { ref: head, use_latest: false, comment: "" };
    await expectFailed("runtime", { runtime }, "GUEST_INIT_FAILED", /is no squashfs image/);
    const volumes = [{ ref: head, mount: "/mnt/a", use_latest: false }];
    await expectFailed("volume", { volumes }, "GUEST_SETUP_FAILED", /\/mnt\/a \(squashfs\)/);
    await expectFailed(
      "code",
      coded("squashfs", "main:app", head),
      "GUEST_SETUP_FAILED",
      /\/opt\/code \(squashfs\)/,
    );
    const damaged = squashfsOf({ "main.py": HEALTHY }).fill(255, 96);
    const image = coded("squashfs", "main:app", await node.store(damaged));
    await expectFailed("tables", image, "GUEST_SETUP_FAILED", /\/opt\/code \(squashfs\)/);
    const devices = squashfsOf({ "main.py": DEVICE_READER }, [
      "disk b 666 0 0 254 0",
      "memory c 666 0 0 1 1",
    ]);
    await expectServed(
      "devices",
      coded("squashfs", "main:app", await node.store(devices)),
      /^EACCES EACCES$/,
    );
  });

  test("name entry points, variables and arguments that a shell would obey", async () => {
    const archive = await node.store(zipArchive([MAIN]));
    const refused: readonly (readonly [string, object, RegExp])[] = [
      ["a command", coded("zip", "main:app; poweroff -f", archive), /app; poweroff/],
      ["a substitution", coded("zip", "$(poweroff -f):app", archive), /poweroff/],
      ["two lines", coded("zip", "main\nimport os:app", archive), /import os/],
      ["nothing", coded("zip", ":", archive), /\S/],
      [
        "a way out",
        coded("plain", "../../usr/bin/poweroff", codes, { interface: "binary" }),
        /outside of the program's code/,
      ],
      ["a name without end", coded("zip", `${"m".repeat(100_000)}:app`, archive), /m{100}|too long/i],
      ["a variable of two", { variables: { "A=B": "c" } }, /'A=B' cannot be an environment variable/],
    ];
    for (const [what, content, reason] of refused)
      await expectFailed(what, content, "GUEST_SETUP_FAILED", reason);
    await expectServed("a name that is no file", coded("plain", "$(poweroff -f):app", codes), /healthy/);
    const variables = Object.fromEntries(
      Array.from({ length: 256 }, (_, index) => [`V${index}`, "x".repeat(4_096)]),
    );
    await expectServed("a mebibyte of variables", { variables }, /healthy/);
    const args = ["; poweroff -f", "$(poweroff -f)", "a\nb", "-c"];
    const code = await node.store(BAD_SERVER);
    await expectServed("arguments", coded("plain", "main.py", code, { interface: "binary", args }), /ok/);
  });

  test("wait for messages by filters without depth or number, or for all, and keep none from others", async () => {
    const deep: unknown = JSON.parse(`${'{"a":'.repeat(500)}1${"}".repeat(500)}`);
    const broken = { ref: await node.store(squashfsHead()), use_latest: false, comment: "" };
    const filters: readonly (readonly unknown[])[] = [
      [{ content: deep }],
      Array.from({ length: 3_000 }, (_, index) => ({ type: "POST", number: index })),
      [{ type: 7, sender: null, content: [] }],
      [{}],
      [{ chain: "ETH" }],
      [{ type: "POST" }],
    ];
    for (const message of filters) await publish({ runtime: broken, on: { http: false, message } });
    const code = await node.store(SUBSCRIBER);
    const on = { http: true, message: [{ type: "POST", channel: "HEALTHY" }] };
    const subscriber = await publish({ ...coded("plain", "main:app", code), on });
    const { client, owner } = node.core;
    for (const text of ["one", "two", "three"]) {
      const content = { type: "note", content: { text }, channel: "HEALTHY" };
      await client.createPost({ account: owner, ...content, sync: true });
    }
    await untilServed(subscriber, /^one two three$/);
  });

  test("speak no frames, or too large ones, while they boot", { skip: isShort }, async () => {
    const bad = [
      ["noise", await hostileRuntime("/bin/busybox cat /dev/urandom >$port")] as const,
      ...(await Promise.all(
        Object.entries(BAD_FRAMES).map(
          async ([what, bytes]) =>
            [
              what,
              await hostileRuntime("/bin/busybox cat /said >$port; /bin/busybox poweroff -f", bytes),
            ] as const,
        ),
      )),
    ];
    for (const [what, image] of bad) {
      const runtime = { ref: await node.store(image), use_latest: false, comment: "" };
      await expectFailed(what, { runtime }, "GUEST_INIT_FAILED", /The runtime did not start: /);
    }
  });

  test("speak no frames, or too many, while they serve", async () => {
    const vmHash = await publish(coded("plain", "main:app", await node.store(FRAME_WRITER)));
    for (const path of ["/noise", "/length", "/flood", "/foreign"]) {
      const { status } = await node.visit(vmHash, path);
      assert.ok([200, 502].includes(status), `${path}: ${status}`);
      await untilServed(vmHash, /goes on/);
    }
  });

  test("answer without sense, without end, or never", async () => {
    const code = await node.store(BAD_SERVER);
    const resources = { vcpus: 1, memory: 256, seconds: 2 };
    const vmHash = await publish({ ...coded("plain", "main.py", code, { interface: "binary" }), resources });
    await untilServed(vmHash, /ok/);
    const answers: readonly (readonly [string, readonly number[]])[] = [
      ["/noise", [502]],
      ["/header", [502]],
      ["/line", [502]],
      ["/informed", [502]],
      ["/negative", [502]],
      ["/both", [502]],
      ["/never", [504]],
    ];
    for (const [path, statuses] of answers) {
      const { status, text } = await node.visit(vmHash, path);
      assert.ok(statuses.includes(status), `${path}: ${status} ${text.slice(0, 200)}`);
    }
    for (const path of ["/chunk", "/half"]) await assert.rejects(node.visit(vmHash, path), /aborted/, path);
    assert.ok((await readSome(`${node.compute.node.apiUrl}/vm/${vmHash}/endless`, 20 * MIB)) >= 20 * MIB);
    await untilServed(vmHash, /ok/);
  });

  test("that are never ready end in their time", { skip: isShort }, async () => {
    await slow;
  });

  test("stop nothing else: the program beside them answered all the while, and the node kept its size", async (t) => {
    const { count, failures, slowestMs } = heartbeat.stop();
    assert.deepEqual(failures, []);
    assert.ok(count > 20, `${count} visits`);
    const grownBytes = process.memoryUsage().rss - residentBytes;
    t.diagnostic(
      `${count} visits, the slowest ${Math.round(slowestMs)} ms; grown by ${Math.round(grownBytes / MIB)} MiB`,
    );
    assert.ok(slowestMs < MAX_VISIT_MS, `${slowestMs} ms`);
    assert.ok(grownBytes < MAX_GROWTH_BYTES, `${grownBytes} bytes`);
  });

  async function untilServed(vmHash: string, body: RegExp): Promise<void> {
    for (let tries = 0; tries < 40; tries += 1) {
      const { status, text } = await node.visit(vmHash);
      if (status === 200) return assert.match(text, body);
      await sleep(500);
    }
    assert.fail(JSON.stringify(await node.listed(vmHash)));
  }
});

/** Tells what it was told. */
const SUBSCRIBER = `
import json

seen = []

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        return
    if scope["type"] == "aleph.message":
        event = await receive()
        seen.append(json.loads(event["body"])["content"]["content"]["text"])
        await send({"type": "aleph.return", "content": "ok"})
        return
    is_whole = len(seen) == 3
    await send({"type": "http.response.start", "status": 200 if is_whole else 425, "headers": []})
    await send({"type": "http.response.body", "body": " ".join(seen).encode()})
`;

/** What can be read of devices that are in the image. */
const DEVICE_READER = `
import errno

def read(path):
    try:
        with open(path, "rb") as file:
            return str(file.read(1))
    except OSError as error:
        return errno.errorcode[error.errno]

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        return
    said = " ".join(read(f"/opt/code/{name}") for name in ("disk", "memory"))
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": said.encode()})
`;

async function hostileRuntime(does: string, said: Uint8Array = Buffer.from("")): Promise<Buffer> {
  const kernel = await kernelImage(IMAGES_FOLDER, buildOptions(AbortSignal.timeout(600_000)));
  return runtimeThat(does, readFileSync(imageFile(kernel, "busybox")), { said });
}

async function templateIsMade({ compute }: TargetNode): Promise<void> {
  const folder = join(compute.dataDir, "compute", "templates");
  for (let tries = 0; tries < 600; tries += 1) {
    const names = await readdir(folder, { recursive: true }).catch(() => []);
    if (names.some((name) => name.endsWith("template.json"))) return;
    await sleep(200);
  }
  assert.fail("no template was made within two minutes");
}

/** Reads so much of an answer, and leaves. */
function readSome(url: string, wantedBytes: number): Promise<number> {
  return new Promise((resolve, reject) => {
    let read = 0;
    const asked = get(url, { agent: false }, (answer) => {
      answer.on("data", (chunk: Buffer) => {
        read += chunk.length;
        if (read < wantedBytes) return;
        resolve(read);
        asked.destroy();
      });
      answer.on("end", () => resolve(read));
    });
    asked.on("error", reject);
  });
}
