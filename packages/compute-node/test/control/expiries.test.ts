import assert from "node:assert/strict";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { createDeferred, createVirtualTime } from "@twentysix/platform";
import { Expiries } from "../../src/control/expiries.ts";
import { FakeHost } from "../support/fake-host.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { openTestExecutions, type TestExecutions } from "../support/test-executions.ts";
import { hashOf, instanceMessage } from "../support/vm-messages.ts";

const FOREVER = new AbortController().signal;
const BY_OWNER = { source: "owner", isPersistent: true } as const;
const VM = hashOf("a");

describe("a machine that shall end after a time", () => {
  let folder: Awaited<ReturnType<typeof tempFolder>>;
  let host: FakeHost;
  let node: TestExecutions;
  let expiries: Expiries;
  const start = () => node.manager.ensureRunning(instanceMessage("a"), BY_OWNER, FOREVER);
  const state = () => node.manager.get(VM)?.state;

  function open(startMicros: bigint): void {
    const path = join(folder.path, "executions.sqlite3");
    node = openTestExecutions(host, path, createVirtualTime(startMicros));
    const { manager, store, time, log } = node;
    expiries = new Expiries({
      executions: manager,
      store,
      clock: time.clock,
      timers: time.timers,
      log,
    });
  }
  beforeEach(async () => {
    folder = await tempFolder();
    host = new FakeHost();
    open(1_700_000_000_000_000n);
    await start();
  });
  afterEach(async () => {
    expiries.close();
    await node.close();
    node.database.close();
    await folder[Symbol.asyncDispose]();
  });

  test("ends when something else is done to it at that moment, as soon as that is over", async () => {
    const gate = createDeferred<void>();
    const backup = node.manager.exclusively(VM, "backup", () => gate.promise);
    expiries.set(VM, 5);
    await node.time.advance(6_000);
    assert.equal(state(), "running");
    gate.resolve();
    await backup;
    await node.time.advance(60_000);
    assert.equal(state(), "stopped");
    assert.equal(node.manager.get(VM)?.reason?.code, "EXPIRED");
    await start();
    await node.time.advance(3_600_000);
    assert.equal(state(), "running", "once");
  });

  test("ends also when the node died just then", async () => {
    const gate = createDeferred<void>();
    const backup = node.manager.exclusively(VM, "backup", () => gate.promise);
    expiries.set(VM, 5);
    await node.time.advance(6_000);
    expiries.close();
    gate.resolve();
    await backup;
    await node.close();
    node.database.close();
    host.forgetCallers();
    open(1_700_000_100_000_000n);
    await node.reconcile(FOREVER);
    assert.equal(state(), "running");
    await node.time.advance(1_000);
    assert.equal(state(), "stopped");
  });

  test("is asked to stop again when that failed", async () => {
    expiries.set(VM, 5);
    const process = host.processes.get(VM);
    assert.ok(process !== undefined);
    const kill = process.kill.bind(process);
    process.kill = () => Promise.reject(new Error("the helper does not answer"));
    await node.time.advance(6_000);
    assert.equal(state(), "stopping");
    process.kill = kill;
    await node.time.advance(60_000);
    assert.equal(state(), "stopped");
  });

  test("does not end a later one of the same message, nor one that its owner has stopped and started", async () => {
    expiries.set(VM, 60);
    await node.manager.erase(VM, null, FOREVER);
    await node.time.advance(1_000);
    await start();
    await node.time.advance(120_000);
    assert.equal(state(), "running");
    expiries.set(VM, 60);
    expiries.cancel(VM);
    await node.time.advance(120_000);
    assert.equal(state(), "running");
  });

  test("ends at the newer of two times", async () => {
    expiries.set(VM, 10);
    expiries.set(VM, 100);
    await node.time.advance(50_000);
    assert.equal(state(), "running");
    await node.time.advance(60_000);
    assert.equal(state(), "stopped");
  });
});
