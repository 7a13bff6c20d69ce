import assert from "node:assert/strict";
import { test } from "node:test";
import { createSystemClock } from "@twentysix/platform";
import { SqliteConnection } from "@twentysix/storage";
import { localAccount, send } from "./support/economy.ts";
import { type RealNode, startRealNode } from "./support/real-node.ts";

const scoring = localAccount("scoring");
const now = Math.floor(Number(createSystemClock().nowMicros() / 1_000_000n));
const HOUR = 3_600;

interface Answer {
  readonly metrics: Readonly<Record<string, readonly unknown[]>>;
  readonly truncated?: true;
}

const core = (node_id: string, measured_at: number, fields: object = {}) => ({
  node_id,
  measured_at,
  url: "http://203.0.113.5:4024/",
  base_latency: 0.1,
  base_latency_ipv4: 0.11,
  metrics_latency: 0.2,
  aggregate_latency: 0.3,
  file_download_latency: 0.4,
  pending_messages: 5,
  eth_height_remaining: 7,
  ...fields,
});

const compute = (node_id: string, measured_at: number, fields: object = {}) => ({
  node_id,
  measured_at,
  base_latency: 0.2,
  base_latency_ipv4: 0.21,
  full_check_latency: 1.2,
  diagnostic_vm_latency: 0.5,
  vm_ping_latency: 5.1,
  ...fields,
});

/** Publishes a report of the scoring service; its hash. */
const report = (node: RealNode, time: number, ccn: readonly object[], crn: readonly object[]) =>
  send(
    node,
    scoring,
    "POST",
    time,
    { type: "aleph-network-metrics", content: { tags: ["local"], metrics: { ccn, crn } } },
    { channel: "aleph-scoring" },
  );

const ask = async (node: RealNode, path: string): Promise<Answer> => (await node.json(path)) as Answer;

test("what was measured of a node: parallel lists, by the window and in the order that was asked for", async (t) => {
  const node = await startRealNode(t);
  const old = await report(node, now - 20 * 24 * HOUR, [core("a", now - 20 * 24 * HOUR)], []);
  const first = await report(
    node,
    now - 2 * HOUR,
    [core("a", now - 2 * HOUR + 0.5), core("b", now)],
    [compute("c", now - 2 * HOUR)],
  );
  const second = await report(
    node,
    now - HOUR,
    [core("a", now - HOUR, { base_latency: null, pending_messages: "many" })],
    [compute("c", now - HOUR, { diagnostic_vm_latency: null })],
  );
  const path = "/api/v0/core/a/metrics";
  assert.deepEqual(await ask(node, path), {
    metrics: {
      item_hash: [first, second],
      measured_at: [now - 2 * HOUR + 0.5, now - HOUR],
      base_latency: [0.1, null],
      base_latency_ipv4: [0.11, 0.11],
      metrics_latency: [0.2, 0.2],
      aggregate_latency: [0.3, 0.3],
      file_download_latency: [0.4, 0.4],
      pending_messages: [5, null],
      eth_height_remaining: [7, 7],
    },
  });
  assert.deepEqual(await ask(node, "/api/v0/compute/c/metrics?sort=DESC"), {
    metrics: {
      item_hash: [second, first],
      measured_at: [now - HOUR, now - 2 * HOUR],
      base_latency: [0.2, 0.2],
      base_latency_ipv4: [0.21, 0.21],
      full_check_latency: [1.2, 1.2],
      diagnostic_vm_latency: [null, 0.5],
    },
  });
  const hashes = async (query: string) => (await ask(node, `${path}?${query}`)).metrics.item_hash;
  assert.deepEqual(await hashes(`end_date=${now - 20 * 24 * HOUR}`), [old]);
  assert.deepEqual(await hashes(`start_date=${now - 30 * 24 * HOUR}&end_date=0`), [old, first, second]);
  assert.deepEqual(await hashes(`start_date=${now - 2 * HOUR + 0.5}&end_date=${now - HOUR}&sort=-1`), [
    second,
    first,
  ]);
  assert.deepEqual(await hashes(`startDate=${now - HOUR}`), [second]);
  for (const [query, status] of [
    [`start_date=${now + HOUR}`, 404],
    [`start_date=${now}&end_date=${now - 1}`, 422],
    ["start_date=yesterday", 422],
    ["end_date=-1", 422],
    ["sort=UP", 422],
  ] as const) {
    assert.equal((await node.get(`${path}?${query}`)).status, status, query);
  }
  assert.equal((await node.get("/api/v0/compute/a/metrics")).status, 404);
  // What others publish, or on another channel, is no measurement.
  await send(node, node.account, "POST", now, {
    type: "aleph-network-metrics",
    content: { metrics: { ccn: [core("x", now)] } },
  });
  assert.equal((await node.get("/api/v0/core/x/metrics")).status, 404);
});

test("more than fits one answer is told to be so, and the rest is found by the link, whole and once", async (t) => {
  const node = await startRealNode(t);
  const hash = await report(node, now, [core("a", now)], []);
  const rows = 30_000;
  const database = new SqliteConnection(node.databasePath);
  // Two of each moment, so that the end of an answer falls on a pair.
  database.run(
    `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows})
     INSERT INTO node_metrics SELECT kind, node_id, measured_us - (i / 2) * 1000003, item_id + 1000 * (i % 2), metrics
     FROM node_metrics, n WHERE i > 1`,
  );
  database.run(
    "INSERT INTO items (id, hash, status, reception_us) SELECT id + 1000, zeroblob(32), 1, 0 FROM items",
  );
  database.close();
  for (const sort of ["ASC", "DESC"]) {
    let url: string | null = `/api/v0/core/a/metrics?sort=${sort}`;
    const times: number[] = [];
    let answers = 0;
    while (url !== null) {
      const response = await node.get(url);
      const { metrics, truncated } = (await response.json()) as Answer;
      times.push(...(metrics.measured_at as number[]));
      answers += 1;
      const link: RegExpExecArray | null = /^<([^>]+)>; rel="next"$/.exec(response.headers.get("link") ?? "");
      url = link?.[1] ?? null;
      assert.equal(truncated, url === null ? undefined : true);
    }
    assert.deepEqual([answers, times.length], [2, rows], sort);
    const sorted = times.toSorted((a, b) => (sort === "ASC" ? a - b : b - a));
    assert.deepEqual(times, sorted);
    assert.equal(times.at(sort === "ASC" ? -1 : 0), now);
  }
  assert.equal((await ask(node, `/api/v0/core/a/metrics?start_date=${now}`)).metrics.item_hash?.[0], hash);
});
