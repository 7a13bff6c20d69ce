import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeHost } from "../support/fake-host.ts";
import { openTestExecutions } from "../support/test-executions.ts";
import { hashOf, programMessage } from "../support/vm-messages.ts";

const FOREVER = new AbortController().signal;
const BY_VISITOR = { source: "visitor", isPersistent: false } as const;
const DAY_MS = 86_400_000;

test("disks that nobody needs go, also when those of one machine cannot be removed", async () => {
  const host = new FakeHost();
  const { manager, time, log } = openTestExecutions(host);
  for (const name of ["stuck", "old", "called"]) {
    await manager.ensureRunning(programMessage(name), BY_VISITOR, FOREVER);
    await manager.stop(hashOf(name), null, FOREVER);
    await time.advance(1_000);
  }
  const erased: string[] = [];
  host.before = async (step, vmHash) => {
    if (step !== "erase") return;
    erased.push(vmHash);
    if (vmHash === hashOf("stuck")) throw new Error("the disk does not answer");
  };
  await time.advance(DAY_MS / 2);
  await manager.ensureRunning(programMessage("called"), BY_VISITOR, FOREVER);
  await manager.stop(hashOf("called"), null, FOREVER);
  while (erased.length === 0) await time.advance(1_000);
  await time.advance(1_000);
  assert.deepEqual(erased, [hashOf("stuck"), hashOf("old")], "in one round");
  assert.ok(log.records.some(({ message }) => message.includes("could not be removed")));
  host.before = async () => {};
  await time.advance(60_000);
  assert.deepEqual(
    manager.list().map(({ vmHash }) => vmHash),
    [hashOf("called")],
    "what could not be removed is tried again",
  );
  assert.deepEqual([...host.disks], [hashOf("called")]);
});
