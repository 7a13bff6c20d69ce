import assert from "node:assert/strict";
import { appendFile, mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { WebSocket } from "ws";
import { DOMAIN, startTestControl } from "../support/test-control.ts";
import { hashOf, instanceMessage } from "../support/vm-messages.ts";
import { ClientKey, ethWallet } from "../support/wallets.ts";

const VM = hashOf("a");
const FOREVER = new AbortController().signal;

type Frame = {
  readonly type?: string;
  readonly message?: string;
  readonly status?: string;
  readonly reason?: string;
};

/** Frames as a client reads them, one by one. */
class Frames {
  readonly socket: WebSocket;
  readonly closed: Promise<number>;
  readonly #frames: Frame[] = [];
  #wake = (): void => {};

  constructor(url: string) {
    this.socket = new WebSocket(url);
    this.socket.on("message", (data) => {
      this.#frames.push(JSON.parse(data.toString()));
      this.#wake();
    });
    this.closed = new Promise((resolve) => this.socket.on("close", resolve));
  }

  async next(): Promise<Frame> {
    while (this.#frames.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#frames.shift() as Frame;
  }

  async say(text: string): Promise<void> {
    if (this.socket.readyState !== WebSocket.OPEN) {
      await new Promise((resolve, reject) => this.socket.once("open", resolve).once("error", reject));
    }
    this.socket.send(text);
  }
}

describe("the log of a machine is streamed", () => {
  let control: Awaited<ReturnType<typeof startTestControl>>;
  let url: string;
  let log: string;
  before(async () => {
    control = await startTestControl();
    const apiUrl = await control.api.listen({ host: "127.0.0.1", port: 0 });
    url = `${apiUrl.replace("http", "ws")}/control/machine/${VM}/stream_logs`;
    const message = instanceMessage("a", { address: control.owner.address });
    await control.manager.ensureRunning(message, { source: "owner", isPersistent: true }, FOREVER);
    const folder = join(control.folder, "run", VM);
    await mkdir(folder);
    log = join(folder, "serial.log");
    await writeFile(log, "booting\n");
  });
  after(() => control.close());

  // The console signs POST, the command line GET, and both another path: none of it matters here.
  const auth = async (wallet = control.owner, method = "POST"): Promise<string> => {
    const key = await ClientKey.create(wallet, control.nowMs());
    return key.authMessage({ method, path: "/anything", domain: DOMAIN, nowMs: control.nowMs() });
  };

  test("from its beginning, then as it is written, also when the file is changed for another", async () => {
    const frames = new Frames(url);
    await frames.say(await auth());
    assert.deepEqual(await frames.next(), { status: "connected" });
    assert.deepEqual(await frames.next(), { type: "stdout", message: "booting" });
    await appendFile(log, "ready\nhalf a ");
    assert.deepEqual(await frames.next(), { type: "stdout", message: "ready" });
    await appendFile(log, "line\n");
    assert.deepEqual(await frames.next(), { type: "stdout", message: "half a line" });
    await rename(log, `${log}.1`);
    await writeFile(log, "new\n");
    assert.deepEqual(await frames.next(), { type: "stdout", message: "new" });
    frames.socket.close();
    await frames.closed;
  });

  test("to who may act for the owner, and others are told why not", async () => {
    const cases: [string, string | RegExp][] = [
      ["{}", "missing 'auth' key in message"],
      ["not json", "missing 'auth' key in message"],
      ['{"auth":{}}', "Invalid format for auth packet, see /doc/operator_auth.md"],
      [await auth(ethWallet("stranger")), "unauthorized sender"],
      [
        (await ClientKey.create(control.owner, control.nowMs())).authMessage({
          ...{ method: "GET", path: "/", domain: "other.test", nowMs: control.nowMs() },
        }),
        /^Invalid domain/,
      ],
    ];
    for (const [text, reason] of cases) {
      const frames = new Frames(url);
      await frames.say(text);
      const frame = await frames.next();
      assert.equal(frame.status, "failed");
      if (typeof reason === "string") assert.equal(frame.reason, reason);
      else assert.match(frame.reason ?? "", reason);
      await frames.closed;
    }
  });

  test("not of one that is not here", async () => {
    const frames = new Frames(url.replace(VM, hashOf("x")));
    const status = await new Promise((resolve) =>
      frames.socket.on("unexpected-response", (_request, response) => resolve(response.statusCode)),
    );
    assert.equal(status, 404);
  });

  test("to twenty at once: the first has to go for the one after", async () => {
    const all: Frames[] = [];
    for (let index = 0; index < 21; index += 1) {
      const frames = new Frames(url);
      await frames.say(await auth());
      await frames.next();
      await frames.next();
      all.push(frames);
    }
    assert.equal(await all[0]?.closed, 1008);
    assert.ok(all.slice(1).every(({ socket }) => socket.readyState === WebSocket.OPEN));
    for (const { socket } of all) socket.close();
  });

  test("and who does not say who he is goes for those who do", async () => {
    const silent: Frames[] = [];
    for (let index = 0; index < 101; index += 1) {
      const frames = new Frames(url);
      await new Promise((resolve, reject) => frames.socket.once("open", resolve).once("error", reject));
      silent.push(frames);
    }
    assert.equal(await silent[0]?.closed, 1013);
    const known = new Frames(url);
    await known.say(await auth());
    assert.deepEqual(await known.next(), { status: "connected" });
    assert.equal(await silent[1]?.closed, 1013);
    assert.equal(silent[2]?.socket.readyState, WebSocket.OPEN);
    for (const { socket } of silent) socket.terminate();
    known.socket.close();
  });

  test("once, when it does not run", async () => {
    await control.manager.stop(VM, null, FOREVER);
    const frames = new Frames(url);
    await frames.say(await auth(control.owner, "GET"));
    assert.deepEqual(await frames.next(), { status: "connected" });
    let last = await frames.next();
    while (last.type === "stdout") last = await frames.next();
    assert.deepEqual(last, { type: "system", message: "VM is not running, past logs sent" });
    await frames.closed;
  });
});
