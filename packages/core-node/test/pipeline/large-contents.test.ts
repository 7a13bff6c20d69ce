import assert from "node:assert/strict";
import { test } from "node:test";
import {
  createMemoryLogger,
  createSeededRandom,
  createSystemClock,
  createSystemTimers,
} from "@twentysix/platform";
import { createNodeCrypto } from "@twentysix/protocol/node";
import { messagesInProcessingOrder } from "../../src/archive/stored-messages.ts";
import { createCopyReader } from "../../src/pipeline/copy-reader.ts";
import { stateRulesOf } from "../../src/pipeline/state-rules.ts";
import { verifyCopy } from "../../src/pipeline/verify-copy.ts";
import { BatchWriter } from "../../src/pipeline/writer/batch-writer.ts";
import type { BatchReport, CopyJob } from "../../src/pipeline/writer/jobs.ts";
import { createPriceLists } from "../../src/pipeline/writer/price-lists.ts";
import { WriterLoop } from "../../src/pipeline/writer/writer-loop.ts";
import { aggregate, amend, apart, evm, post, type Signed } from "./support/signed.ts";
import { networkDefinition, StateHarness } from "./support/state-harness.ts";

const TIME = 1_700_000_000;
const MAX_CONTENT_BYTES = 100_000;
const MAX_FACT_CHARACTERS = 50_000;
const definition = networkDefinition("local");
const crypto = createNodeCrypto();
const account = evm("of large contents");

/** Runs the loop over these copies until all are committed; one report a batch. */
async function write(node: StateHarness, messages: readonly Signed[]): Promise<BatchReport[]> {
  const reports: BatchReport[] = [];
  const clock = createSystemClock();
  const loop = new WriterLoop({
    store: node.store,
    writer: new BatchWriter({
      store: node.store,
      rules: stateRulesOf(definition, definition.limits.gracePeriodSeconds * 1_000),
      limits: definition.limits,
      reader: createCopyReader(crypto.sha256, definition.switches, definition.limits),
      contents: { read: async (itemHash) => node.contents.get(itemHash) ?? null },
      maxContentBytes: MAX_CONTENT_BYTES,
      maxFactCharacters: MAX_FACT_CHARACTERS,
      priceCheck: () => ({ ok: true }),
      priceLists: createPriceLists({
        store: node.store,
        clock,
        log: createMemoryLogger(),
        defaults: definition,
      }),
      clock,
      random: createSeededRandom(26),
    }),
    clock,
    timers: createSystemTimers(),
    log: createMemoryLogger(),
    drain: () => {},
    onReport: (report) => reports.push(report),
    onDefect: (error) => {
      throw error;
    },
    onIdle: () => false,
  });
  const receptionMicros = clock.nowMicros();
  const jobs = messages.map(({ text }, at): CopyJob => {
    const copy = verifyCopy(text, { crypto, switches: definition.switches, limits: definition.limits });
    return { jobId: at, copy, origin: "http", receptionMicros };
  });
  loop.addCopies(jobs);
  loop.stop();
  await loop.run();
  return reports;
}

test("a batch takes as many copies as the bound on their contents lets in, and keeps their order", async () => {
  await using node = await StateHarness.open(definition);
  const messages: Signed[] = [];
  for (let n = 0; n < 12; n += 1) {
    const isLarge = n % 3 !== 2;
    const message = post(account, TIME + n, isLarge ? `${n} ${"x".repeat(n === 6 ? 250_000 : 60_000)}` : n);
    const { envelope, content } = apart(message);
    if (isLarge) await node.upload(content);
    messages.push(isLarge ? envelope : message);
  }
  const reports = await write(node, messages);
  const batches = reports.map(({ results }) => results.map(({ jobId }) => jobId));
  assert.deepEqual(batches, [
    [0, 1],
    [2, 3, 4],
    [5, 6],
    [7, 8, 9],
    [10, 11],
  ]);
  const statuses = reports.flatMap(({ results }) => results.map(({ status }) => status));
  assert.deepEqual([...new Set(statuses)], ["processed"]);
});

test("a copy whose content alone is above the bound has a batch of its own", async () => {
  await using node = await StateHarness.open(definition);
  const large = apart(post(account, TIME, "x".repeat(MAX_CONTENT_BYTES * 2)));
  await node.upload(large.content);
  const reports = await write(node, [large.envelope, post(account, TIME + 1, "small")]);
  assert.deepEqual(
    reports.map(({ results }) => results.map(({ jobId, status }) => [jobId, status])),
    [[[0, "processed"]], [[1, "processed"]]],
  );
});

test("a content of many small fields counts for more than its text", async () => {
  await using node = await StateHarness.open(definition);
  const fields = Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`f${n}`, n]));
  const messages = [0, 1].map((n) => aggregate(account, TIME + n, `many ${n}`, fields));
  const reports = await write(node, messages);
  assert.equal(reports.length, 2);
});

test("short messages that change long fields share a batch as far as the fields have room in it", async () => {
  await using node = await StateHarness.open(definition);
  const long = (key: number) =>
    aggregate(account, TIME, `key ${key}`, { text: `${key}${"x".repeat(30_000)}` });
  await node.submit(...[0, 1, 2, 3, 4].map((key) => long(key).text));
  const short = [0, 1, 2, 3, 4].map((key) => aggregate(account, TIME + 1, `key ${key}`, { text: key }));
  const reports = await write(node, short);
  const results = reports.flatMap((report) => report.results);
  assert.ok(reports.length > 1, "all at once is too much");
  assert.deepEqual(
    results.map(({ jobId, status }) => [jobId, status]),
    [0, 1, 2, 3, 4].map((jobId) => [jobId, "processed"]),
  );
});

test("stored messages are given to export and verify in parts that end with their contents", async () => {
  await using node = await StateHarness.open(definition);
  const hashes: string[] = [];
  for (let n = 0; n < 5; n += 1) {
    const { envelope, content } = apart(post(account, TIME + n, `${n} ${"x".repeat(60_000)}`));
    await node.upload(content);
    await node.submit(envelope.text);
    hashes.push(envelope.hash);
  }
  const parts = [...messagesInProcessingOrder(node.store.session.connection, 0, MAX_CONTENT_BYTES)];
  assert.deepEqual(
    parts.map((messages) => messages.map(({ hash }) => hash)),
    [hashes.slice(0, 2), hashes.slice(2, 4), hashes.slice(4)],
  );
});

test("candidates that are due are given as far as their contents have room, oldest first", async () => {
  await using node = await StateHarness.open(definition);
  const unknown = post(account, TIME, "never sent").hash;
  for (let n = 0; n < 5; n += 1) {
    const { envelope, content } = apart(amend(account, TIME + n, unknown, `${n} ${"x".repeat(60_000)}`));
    await node.upload(content);
    assert.equal((await node.submit(envelope.text))[0]?.status, "pending");
  }
  const late = node.nowMicros + 1_000_000_000_000n;
  const all = node.store.due(late, 100);
  assert.equal(all.length, 5);
  assert.deepEqual(
    [1, MAX_CONTENT_BYTES, 10_000_000].map((maxBytes) =>
      node.store.due(late, 100, maxBytes).map(({ id }) => id),
    ),
    [all.slice(0, 1), all.slice(0, 2), all].map((some) => some.map(({ id }) => id)),
  );
});
