import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import {
  createDeferred,
  createMemoryLogger,
  createSystemClock,
  createSystemTimers,
} from "@twentysix/platform";
import { DEFAULT_API_SETTINGS } from "../../src/api/settings.ts";
import { startCoreNode } from "../../src/core-node.ts";
import { evm, post } from "../pipeline/support/signed.ts";
import { networkDefinition } from "../pipeline/support/state-harness.ts";

const BUDGET_BYTES = 1_000_000;

/** A reading of the memory that a test sets. */
class Gauge {
  #usedBytes = 0;
  #read = createDeferred<void>();

  readonly read = (): number => {
    this.#read.resolve();
    return this.#usedBytes;
  };

  /** Sets what is in use; resolves once the node has taken note of it. */
  async set(usedBytes: number): Promise<void> {
    this.#usedBytes = usedBytes;
    this.#read = createDeferred<void>();
    await this.#read.promise;
  }
}

test("a node beyond its memory budget refuses new work, answers all else, and takes work again later", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "twentysix-memory-"));
  const gauge = new Gauge();
  const node = await startCoreNode({
    dataDir: folder,
    apiHost: "127.0.0.1",
    apiPort: 0,
    definition: networkDefinition("local"),
    apiSettings: { ...DEFAULT_API_SETTINGS, gracePeriodMs: 86_400_000 },
    maxDiskBytes: null,
    maxMemoryBytes: BUDGET_BYTES,
    memoryUsage: gauge.read,
    version: "0.0.0",
    address: "0x0",
    clock: createSystemClock(),
    timers: createSystemTimers(),
    log: createMemoryLogger(),
    logPretty: false,
  });
  t.after(async () => {
    await node.close();
    rmSync(folder, { recursive: true });
  });
  const send = (path: string, body: string | FormData): Promise<Response> => {
    const headers = typeof body === "string" ? { "content-type": "application/json" } : {};
    return fetch(node.apiUrl + path, { method: "POST", body, headers });
  };
  const author = evm("author on a full node");
  const submit = (n: number): Promise<Response> =>
    send("/api/v0/messages", `{"sync":true,"message":${post(author, 1_700_000_000 + n, n).text}}`);
  const form = (bytes: string): FormData => {
    const body = new FormData();
    body.append("file", new Blob([bytes]));
    return body;
  };
  const work = (n: number): (() => Promise<Response>)[] => [
    () => submit(n),
    () => send("/api/v0/storage/add_file", form(`file ${n}`)),
    () => send("/api/v0/ipfs/add_file", form(`file ${n}`)),
    () => send("/api/v0/storage/add_json", `{"n":${n}}`),
    () => send("/api/v0/ipfs/add_json", `{"n":${n}}`),
  ];

  for (const request of work(0)) assert.equal((await request()).status, 200);
  await gauge.set(BUDGET_BYTES);
  for (const request of work(1)) {
    const response = await request();
    assert.equal(response.status, 503);
    assert.equal(response.headers.get("retry-after"), "5");
    const { error } = (await response.json()) as { error: { code: string; message: string } };
    assert.equal(error.code, "API_OVERLOADED");
    assert.match(error.message, /memory budget/);
  }
  const { hash } = post(author, 1_700_000_000, 0);
  assert.equal((await fetch(`${node.apiUrl}/api/v0/messages/${hash}`)).status, 200);
  assert.equal((await fetch(`${node.apiUrl}/api/v0/messages.json`)).status, 200);
  await gauge.set(BUDGET_BYTES - 1);
  for (const request of work(1)) assert.equal((await request()).status, 200);
});
