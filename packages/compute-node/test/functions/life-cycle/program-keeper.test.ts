import assert from "node:assert/strict";
import { test } from "node:test";
import { ProgramKeeper } from "../../../src/functions/life-cycle/program-keeper.ts";
import { FakeHost } from "../../support/fake-host.ts";
import { openTestExecutions } from "../../support/test-executions.ts";
import { hashOf, programMessage } from "../../support/vm-messages.ts";

const FOREVER = new AbortController().signal;
const VM = hashOf("p");

test("a program is not stopped because one core node says that its message is gone", async () => {
  const { manager, time, log } = openTestExecutions(new FakeHost());
  await manager.ensureRunning(programMessage("p"), { source: "visitor", isPersistent: false }, FOREVER);
  let statuses: readonly string[] = [];
  const keeper = new ProgramKeeper({
    executions: manager,
    coreNode: { statuses: async () => statuses, neededAnswers: 2 },
    timers: time.timers,
    log,
    nowMs: () => 0,
    signal: FOREVER,
  });
  for (statuses of [[], ["removed"], ["removed", "processed"], ["forgotten", "removing"]]) {
    keeper.unfit(VM, "it was removed");
    await time.advance(1_000);
    assert.equal(manager.get(VM)?.state, "running", statuses.join());
  }
  statuses = ["removed", "forgotten"];
  keeper.unfit(VM, "it was removed");
  await time.advance(1_000);
  assert.deepEqual(
    [manager.get(VM)?.state, manager.get(VM)?.reason?.code],
    ["stopped", "MESSAGE_NOT_IN_FORCE"],
  );
});
