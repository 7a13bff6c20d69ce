import assert from "node:assert/strict";
import { test } from "node:test";
import type { FedMessage } from "../../src/messages/message-feed.ts";
import { watchOwnMachines } from "../../src/messages/own-machines.ts";
import { FakeHost } from "../support/fake-host.ts";
import { openTestExecutions } from "../support/test-executions.ts";
import { hashOf, instanceMessage } from "../support/vm-messages.ts";

const VM = hashOf("a");
const FOREVER = new AbortController().signal;

test("the disks of a machine are not erased on the word of one core node", async () => {
  const host = new FakeHost();
  const { manager, store, time, log } = openTestExecutions(host);
  await manager.ensureRunning(instanceMessage("a"), { source: "owner", isPersistent: true }, FOREVER);
  let statuses: readonly string[] = ["forgotten"];
  const seen = watchOwnMachines({
    ...{ executions: manager, store, timers: time.timers, log, signal: FOREVER },
    coreNodes: { statuses: async () => statuses, forget: () => {}, neededAnswers: 2 },
    onDomainsChanged: () => undefined,
    onPortsChanged: () => {},
  });
  const message = { type: "FORGET", content: { hashes: [VM] } } as unknown as FedMessage["message"];
  seen({ message, isAuthentic: () => true });
  await time.advance(10_000);
  assert.equal(manager.get(VM)?.state, "running", "one is silent, the other may be wrong");
  statuses = ["forgotten", "processed"];
  await time.advance(10_000);
  assert.equal(manager.get(VM)?.state, "running", "they do not agree");
  statuses = ["forgotten", "forgotten"];
  await time.advance(60_000);
  assert.equal(manager.get(VM), null);
  assert.equal(host.disks.size, 0);
});
