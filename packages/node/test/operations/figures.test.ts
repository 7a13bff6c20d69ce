import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { eventually } from "../support/eventually.ts";
import { get, getJson, post, putRaw, rawAccount, signRaw } from "../support/raw-messages.ts";
import { startTestNode } from "../support/test-node.ts";

const node = await startTestNode();
after(() => node.remove());
const account = rawAccount("figures");

/** The value of a metric in Prometheus text; the labels are part of the name. */
async function metric(name: string): Promise<number> {
  const { text } = await get(node, "/metrics");
  const line = text.split("\n").find((candidate) => candidate.startsWith(`${name} `));
  assert.ok(line !== undefined, `${name} in\n${text}`);
  return Number(line.slice(name.length));
}

describe("the figures of a node", { timeout: 60_000 }, () => {
  test("count what is stored at once, as the state root does", async () => {
    for (let count = 0; count < 5; count += 1) {
      await putRaw(node, { account, type: "POST", members: `"type":"note","content":${count}` });
      const root = await getJson<{ count: number }>(node, "/api/v1/state-root");
      const { messages } = await getJson<{ messages: number }>(node, "/api/v1/node");
      assert.deepEqual([messages, root.count], [count + 1, count + 1]);
      assert.equal(await metric("pyaleph_status_sync_messages_total"), count + 1);
    }
  });

  test("count the pin of a file that came without message", async () => {
    const before = await metric("pyaleph_status_sync_permanent_files_total");
    await post(node, "/api/v0/storage/add_json", '{"pinned":true}');
    assert.equal(await metric("pyaleph_status_sync_permanent_files_total"), before + 1);
  });

  test("tell how long queued work waits, in seconds", async () => {
    assert.equal(await metric("twentysix_pipeline_oldest_in_flight_seconds"), 0);
    assert.equal(await metric("twentysix_queue_overdue_seconds"), 0);
    const members = `"type":"amend","ref":"${"ab".repeat(32)}","content":{}`;
    const { envelope } = await signRaw({ account, type: "POST", members });
    await post(node, "/api/v0/messages", `{"message":${envelope}}`);
    assert.equal(await metric("pyaleph_status_sync_pending_messages_total"), 1);
    // It is tried when it is due, so it is never late for long.
    assert.ok((await metric("twentysix_queue_overdue_seconds")) < 5);
  });

  test("tell of the process: processor, memory, start, and how late its main thread comes", async () => {
    const first = await metric("process_cpu_seconds_total");
    await eventually(async () => (await metric("process_cpu_seconds_total")) > first);
    const resident = await metric("process_resident_memory_bytes");
    assert.ok(resident > 10e6 && resident < 100e9, `${resident} bytes`);
    const ageSeconds = Date.now() / 1_000 - (await metric("process_start_time_seconds"));
    assert.ok(ageSeconds > 0 && ageSeconds < 3_600, `${ageSeconds} s`);
    // Each time after a turn in which the monitor has looked: only then can it notice that it came late.
    await eventually(async () => {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
      return (await metric('twentysix_event_loop_delay_seconds{statistic="max"}')) > 0.2;
    });
  });
});

test("a node above its memory budget is not ready, says so and goes on answering reads", async () => {
  const small = await startTestNode({ maxMemoryBytes: 1 });
  try {
    const ready = await get(small, "/health/ready");
    assert.equal(ready.status, 503);
    const { checks } = JSON.parse(ready.text) as { checks: Record<string, { ok: boolean; message: string }> };
    assert.deepEqual([checks.memory?.ok, checks.disk?.ok, checks.writer?.ok], [false, true, true]);
    assert.match(checks.memory?.message ?? "", /memory budget/);
    assert.equal((await get(small, "/api/v0/messages.json")).status, 200);
    const { envelope } = await signRaw({ account, type: "POST", members: '"type":"note","content":1' });
    assert.equal((await post(small, "/api/v0/messages", `{"message":${envelope}}`)).status, 503);
  } finally {
    await small.remove();
  }
});
