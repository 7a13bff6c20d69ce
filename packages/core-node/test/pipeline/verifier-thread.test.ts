import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { Worker } from "node:worker_threads";
import { createMemoryLogger, createSystemClock, createSystemTimers } from "@twentysix/platform";
import { parseJson, parseNetworkDefinition } from "@twentysix/protocol";
import { Pipeline } from "../../src/pipeline/pipeline.ts";
import { stateRulesOf } from "../../src/pipeline/state-rules.ts";
import type { CopyResult } from "../../src/pipeline/writer/jobs.ts";
import { workerThreads } from "../../src/threads/worker-threads.ts";
import { evm, signed } from "./support/signed.ts";

const sender = evm("verifier");
let made = 0;
function post(): string {
  made += 1;
  return signed(sender, "POST", 1_700_000_000 + made, { type: "note", content: { made } }).text;
}

/** A pipeline whose verifier ends after a few quiet milliseconds. */
async function quietPipeline() {
  const folder = await mkdtemp(join(tmpdir(), "twentysix-verifier-"));
  const json = parseJson(await readFile(new URL("../../../../networks/local.json", import.meta.url), "utf8"));
  const read = json.ok ? parseNetworkDefinition(json.value) : null;
  if (read === null || !read.ok) throw new Error("networks/local.json is not a network definition");
  const timers = createSystemTimers();
  /** Ends of the threads that were started, in their order. */
  const ends: Promise<unknown>[] = [];
  const told = { onEnd: (): void => undefined };
  const pipeline = await Pipeline.start({
    databasePath: join(folder, "messages.sqlite"),
    blobs: { folder: join(folder, "files") },
    writerCacheBytes: 1024 * 1024,
    switches: read.definition.switches,
    limits: read.definition.limits,
    rules: { ...stateRulesOf(read.definition, 1_000), ledger: null },
    priceDefaults: read.definition,
    threads: {
      ...workerThreads,
      startVerifier(data) {
        const verifier = workerThreads.startVerifier(data);
        ends.push(once(verifier as Worker, "exit"));
        return {
          ...bound(verifier as Worker),
          postMessage(request) {
            verifier.postMessage(request);
            if (request.kind === "end") told.onEnd();
          },
        };
      },
    },
    verifierCount: 1,
    verifierQuietMs: 5,
    maxInFlight: 8_192,
    clock: createSystemClock(),
    // However slow the machine is, a close waits for what has arrived.
    timers: { ...timers, withTimeout: (_timeoutMs, work) => work(new AbortController().signal) },
    log: createMemoryLogger(),
    logPretty: false,
  });
  return {
    pipeline,
    ends,
    told,
    submit: (): Promise<CopyResult> => pipeline.submit(post(), { origin: "p2p" }),
    [Symbol.asyncDispose]: async () => {
      await pipeline.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A worker whose listeners go without those of the test. */
function bound(worker: Worker) {
  const listeners: (readonly [event: string, listener: (value: never) => void])[] = [];
  return {
    on(event: string, listener: (value: never) => void) {
      listeners.push([event, listener]);
      worker.on(event, listener as () => void);
    },
    removeAllListeners() {
      for (const [event, listener] of listeners) worker.off(event, listener as () => void);
    },
    terminate: () => worker.terminate(),
  };
}

describe("a verifier without work", () => {
  test("ends, and another one takes the next message", async () => {
    await using node = await quietPipeline();
    await node.ends[0];
    const result = await node.submit();
    assert.equal(result.status, "processed");
    assert.equal(node.ends.length, 2);
    assert.equal((await node.pipeline.inspect(post())).kind, "message");
  });

  test("loses nothing of what comes while it ends, and keeps its order", async () => {
    await using node = await quietPipeline();
    const settled: number[] = [];
    const results: Promise<CopyResult>[] = [];
    await node.ends[0];
    for (let round = 0; round < 4; round += 1) {
      const burst = new Promise<void>((resolve) => {
        node.told.onEnd = () => {
          // Told to end and not ended yet: a burst comes, in several sendings.
          for (let sending = 0; sending < 3; sending += 1) {
            queueMicrotask(() => {
              for (let each = 0; each < 20; each += 1) {
                const place = results.length;
                const result = node.submit();
                results.push(result);
                void result.then(() => settled.push(place));
              }
            });
          }
          node.told.onEnd = () => undefined;
          resolve();
        };
      });
      await node.submit();
      await burst;
      await Promise.all(results);
    }
    const all = await Promise.all(results);
    assert.equal(all.length, 240);
    assert.deepEqual([...new Set(all.map(({ status }) => status))], ["processed"]);
    assert.deepEqual(
      settled,
      [...settled].sort((one, other) => one - other),
    );
  });

  test("is no obstacle to a close, whether one ends, has ended or starts", async () => {
    for (const moment of ["ending", "ended", "starting"] as const) {
      const node = await quietPipeline();
      await node.ends[0];
      if (moment === "ending") {
        const ending = new Promise<void>((resolve) => {
          node.told.onEnd = resolve;
        });
        await node.submit();
        await ending;
      }
      const result = moment === "starting" ? node.submit() : null;
      await node[Symbol.asyncDispose]();
      if (result !== null) assert.equal((await result).status, "processed");
    }
  });
});
