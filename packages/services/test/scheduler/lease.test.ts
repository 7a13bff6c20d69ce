import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { SchedulerDatabase } from "../../src/scheduler/state/database.ts";
import { ActiveLease } from "../../src/scheduler/state/lease.ts";
import { SchedulerStore } from "../../src/scheduler/state/store.ts";
import { hash, NOW_MS, planNode } from "./support/plan-inputs.ts";
import { nodeRecord } from "./support/state.ts";

const LEASE_MS = 15_000;

describe("a scheduler that stood still while another one took over", () => {
  test("writes nothing over what that one wrote", () => {
    using folder = temporaryFolder();
    let nowMs = NOW_MS;
    using first = open(folder.path, "first", () => nowMs);
    using second = open(folder.path, "second", () => nowMs);
    assert.ok(first.lease.renew());
    first.put("n1", "old");
    nowMs += LEASE_MS;
    assert.ok(second.lease.renew());
    second.store.reload();
    second.put("n1", "new");
    assert.throws(() => first.put("n1", "old"), { code: "SCHEDULER_LEASE_LOST" });
    first.store.reload();
    assert.equal(first.store.nodes.get(hash("n1"))?.registration.name, "new");
  });

  test("tells of what that one does, once and in order, while it stands by", () => {
    using folder = temporaryFolder();
    using active = open(folder.path, "active", () => NOW_MS);
    assert.ok(active.lease.renew());
    active.tell("before");
    using standby = open(folder.path, "standby", () => NOW_MS);
    const heard: string[] = [];
    standby.store.onEvent(({ body }) => heard.push("text" in body ? body.text : body.type));
    active.tell("a", "b");
    standby.store.reload();
    standby.store.reload();
    active.tell("c");
    standby.store.reload();
    active.lease.release();
    assert.ok(standby.lease.renew());
    standby.tell("own");
    standby.store.reload();
    assert.deepEqual(heard, ["a", "b", "c", "own"]);
  });

  test("goes on when nobody did", () => {
    using folder = temporaryFolder();
    let nowMs = NOW_MS;
    using first = open(folder.path, "first", () => nowMs);
    assert.ok(first.lease.renew());
    nowMs += 2 * LEASE_MS;
    first.put("n1", "same");
    assert.equal(first.store.nodes.get(hash("n1"))?.registration.name, "same");
  });
});

function open(dir: string, holder: string, nowMs: () => number) {
  const database = new SchedulerDatabase(join(dir, "scheduler.sqlite3"));
  const lease = new ActiveLease(database, holder, LEASE_MS, nowMs);
  const store = new SchedulerStore(database, nowMs, () => lease.isUncontested);
  return {
    lease,
    store,
    tell(...texts: readonly string[]): void {
      store.change((changes) => {
        for (const text of texts) changes.event({ type: "Alarm", nodeHash: null, text });
      });
    },
    put(label: string, name: string): void {
      const node = planNode(label);
      const renamed = { ...node, registration: { ...node.registration, name } };
      store.change((changes) => changes.putNode(nodeRecord(renamed)));
    },
    [Symbol.dispose]: () => database[Symbol.dispose](),
  };
}

function temporaryFolder() {
  const path = mkdtempSync(join(tmpdir(), "lease-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) };
}
