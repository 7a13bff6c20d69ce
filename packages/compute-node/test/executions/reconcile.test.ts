import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { createVirtualTime, onAbort } from "@twentysix/platform";
import { FakeHost } from "../support/fake-host.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { openTestExecutions } from "../support/test-executions.ts";
import { hashOf, instanceMessage } from "../support/vm-messages.ts";

const FOREVER = new AbortController().signal;
const BY_OWNER = { source: "owner", isPersistent: true } as const;

test("a machine that does not answer after a restart of the node keeps no other one waiting", async () => {
  await using folder = await tempFolder();
  const path = join(folder.path, "executions.sqlite3");
  const host = new FakeHost();
  let isAlive = true;
  const start = createVirtualTime(1_700_000_000_000_000n);
  const before = openTestExecutions(
    host,
    path,
    start,
    host.attach(() => isAlive),
  );
  for (const name of ["silent", "well"]) {
    await before.manager.ensureRunning(instanceMessage(name), BY_OWNER, FOREVER);
  }
  isAlive = false;
  before.database.close();
  host.before = async (step, vmHash, signal) => {
    if (step !== "adopt" || vmHash !== hashOf("silent")) return;
    await new Promise((_resolve, reject) => onAbort(signal, reject));
  };
  const time = createVirtualTime(1_700_000_100_000_000n);
  const { manager, reconcile, contact } = openTestExecutions(host, path, time);
  contact.note("core-node");
  const report = reconcile(FOREVER);
  await time.advance(10_000);
  assert.deepEqual((await report).adopted, [hashOf("well")], "it serves, and the node goes on");
  assert.ok(manager.running(hashOf("well")) !== null);
  for (const name of ["silent", "well"]) {
    assert.ok((host.processes.get(hashOf(name))?.renewals ?? 0) > 0, `the lease of ${name} goes on`);
  }
  const stopping = manager.stop(hashOf("silent"), null, FOREVER);
  contact.note("core-node");
  for (let step = 0; step < 20; step += 1) await time.advance(10_000);
  assert.equal((await stopping).state, "stopped", "what is asked of it waits until it is settled");
  assert.deepEqual([...host.processes.keys()], [hashOf("well")]);
  assert.deepEqual(host.violations, []);
});
