import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import {
  createMemoryLogger,
  createSeededRandom,
  createSystemTimers,
  createTimers,
} from "@twentysix/platform";
import { ContentStore, createBlobEngine } from "@twentysix/storage";
import { kuboMissing, startKuboServer } from "@twentysix/storage/test-servers";
import { testAccount } from "../api/support/real-node.ts";
import { signed } from "../pipeline/support/signed.ts";
import { startNodeWith } from "./started-node.ts";

// Needs startKuboServer.

const alice = testAccount(71);

/** Timers of the engine that take waits of seconds for milliseconds while `isHurried`, so that a time-out comes soon. */
function hurryingTimers() {
  const system = createSystemTimers();
  const hurry = { isHurried: false };
  const timers = createTimers((delayMs, callback) =>
    system.schedule(hurry.isHurried && delayMs >= 1_000 ? delayMs / 100 : delayMs, callback),
  );
  return { timers, hurry };
}

/** Stands before a daemon and leaves the calls that `hangs` names without an answer, and all connections open. */
async function proxyOf(t: TestContext, target: string) {
  const state = { hangs: (_path: string): boolean => false };
  const server = createServer((incoming, outgoing) => {
    const path = incoming.url ?? "";
    if (state.hangs(path)) return;
    const { method = "POST", headers } = incoming;
    const onward = request(new URL(path, target), { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on("error", () => outgoing.destroy());
    incoming.pipe(onward);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { state, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

async function started(t: TestContext) {
  const server = await startKuboServer();
  t.after(() => server[Symbol.asyncDispose]());
  const { state, url } = await proxyOf(t, server.settings.url);
  const { timers, hurry } = hurryingTimers();
  const parts = { timers, random: createSeededRandom(1), log: createMemoryLogger() };
  const node = await startNodeWith(t, createSystemTimers(), createBlobEngine({ kind: "kubo", url }, parts));
  return { ...node, server, state, hurry, apiUrl: node.core.apiUrl };
}

const post = async (url: string, body: BodyInit) => {
  const response = await fetch(url, { method: "POST", body });
  const { error } = (await response.json()) as { error?: { code: string; message: string } };
  return { status: response.status, code: error?.code, message: error?.message ?? "" };
};

/** A directory as the CAR and the metadata of an upload. */
async function carForm(t: TestContext): Promise<() => FormData> {
  const folder = await mkdtemp(join(tmpdir(), "twentysix-car-"));
  t.after(() => rm(folder, { recursive: true }));
  await using store = await ContentStore.open({ folder, timers: createSystemTimers() });
  const { record } = await store.addDirectory([{ path: "a.txt", content: [Buffer.from("a")] }], 1);
  const car = Buffer.concat(await Array.fromAsync(store.exportCar(record.root)));
  const { text } = signed(alice, "STORE", 1_700_000_000, { item_type: "ipfs", item_hash: record.root });
  return () => {
    const form = new FormData();
    form.append("metadata", `{"message":${text},"sync":true}`);
    form.append("file", new Blob([new Uint8Array(car)]));
    return form;
  };
}

const skip = kuboMissing();

test("a download ends when the server of the files keeps silent", { skip, timeout: 120_000 }, async (t) => {
  const { apiUrl, state, hurry } = await started(t);
  const bytes = randomBytes(300_000);
  const hash = createHash("sha256").update(bytes).digest("hex");
  assert.equal((await post(`${apiUrl}/api/v0/storage/add_file`, bytes)).status, 200);
  const raw = `${apiUrl}/api/v0/storage/raw/${hash}`;
  hurry.isHurried = true;
  for (const [what, hangs] of [
    ["the bytes", (path: string) => path.startsWith("/api/v0/cat")],
    ["everything", () => true],
  ] as const) {
    state.hangs = hangs;
    for (const url of [raw, raw.replace("/raw", ""), `${raw}?content-type=auto&filename=a`]) {
      const answer = await fetch(url);
      const { error } = (await answer.json()) as { error: { code: string } };
      assert.deepEqual([answer.status, error.code], [504, "API_FILES_TIMEOUT"], `${what} of ${url}`);
      assert.equal(answer.headers.get("retry-after"), "5");
      for (const name of ["etag", "cache-control", "content-disposition"])
        assert.equal(answer.headers.get(name), null, `${name} of ${url}`);
    }
  }
  assert.equal((await fetch(raw, { method: "HEAD" })).status, 504);
  assert.match(await (await fetch(`${apiUrl}/metrics`)).text(), /^twentysix_internal_errors_total 0$/m);
});

test("a HEAD of a file that the server has lost is not found", { skip, timeout: 120_000 }, async (t) => {
  const { apiUrl, server } = await started(t);
  const bytes = randomBytes(3_000);
  const hash = createHash("sha256").update(bytes).digest("hex");
  assert.equal((await post(`${apiUrl}/api/v0/storage/add_file`, bytes)).status, 200);
  const raw = `${apiUrl}/api/v0/storage/raw/${hash}`;
  assert.equal((await fetch(raw, { method: "HEAD" })).status, 200);
  for (const cid of await server.pins()) await server.client.pin.rm(cid);
  await server.collect();
  for (const method of ["HEAD", "GET"]) {
    const answer = await fetch(raw, { method });
    assert.deepEqual([answer.status, answer.headers.get("cache-control")], [404, "no-store"], method);
  }
});

test("uploads to IPFS tell of its daemon in the words that clients look for", {
  skip,
  timeout: 120_000,
}, async (t) => {
  const { apiUrl, state, hurry, server } = await started(t);
  const car = await carForm(t);
  const file = () => {
    const form = new FormData();
    form.append("file", new Blob([randomBytes(1_000)]));
    return form;
  };
  hurry.isHurried = true;
  const timedOut = /Timed out waiting for IPFS stat/;
  for (const hangs of [(path: string) => /add|import/.test(path), () => true]) {
    state.hangs = hangs;
    for (const [route, form] of [
      ["add_file", file()],
      ["add_car", car()],
    ] as const) {
      const answer = await post(`${apiUrl}/api/v0/ipfs/${route}`, form);
      assert.deepEqual([answer.status, answer.code], [504, "API_FILES_TIMEOUT"], route);
      assert.match(answer.message, timedOut);
    }
  }
  await server.process.kill();
  state.hangs = () => false;
  // What was last known of the server is that it keeps silent; a probe finds out that it is gone.
  for (;;) {
    const ready = await fetch(`${apiUrl}/health/ready`);
    if (/cannot be reached/.test(await ready.text())) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const refused = await post(`${apiUrl}/api/v0/ipfs/add_car`, car());
  assert.deepEqual([refused.status, refused.code], [502, "API_FILES_UNAVAILABLE"]);
  assert.match(refused.message, /Failed to import CAR into IPFS/);
  assert.doesNotMatch(refused.message, /127\.0\.0\.1/);
});
