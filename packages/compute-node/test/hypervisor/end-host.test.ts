import { existsSync } from "node:fs";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createMemoryLogger, createSystemTimers } from "@twentysix/platform";
import { endHost } from "../../src/helper/end-host.ts";
import { createTestHost, TIME } from "./support/test-host.ts";

test("whoever takes a node away ends its machines and their helper", { timeout: 4 * TIME }, async () => {
  await using host = await createTestHost();
  const signal = AbortSignal.timeout(3 * TIME);
  const vm = await host.hypervisor.start(host.spec(1), signal);
  const pid = await host.helperPid();
  await endHost(host.dir, { timers: createSystemTimers(), log: createMemoryLogger() }, signal);
  while (existsSync(`/proc/${vm.pid}/fd`) && !signal.aborted) await sleep(20);
  while (existsSync(`/proc/${pid}/fd`) && !signal.aborted) await sleep(20);
  signal.throwIfAborted();
});
