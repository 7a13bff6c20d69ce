import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { createMemoryLogger, createSeededRandom } from "@twentysix/platform";
import { vmFolder } from "../../src/instances/disks/vm-folder.ts";
import { Exports } from "../../src/instances/migration/exports.ts";
import { runTool } from "../../src/processes/run-tool.ts";
import { FakeHost } from "../support/fake-host.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { openTestExecutions } from "../support/test-executions.ts";
import { hashOf, instanceMessage } from "../support/vm-messages.ts";

const VM = hashOf("a");
const signal = AbortSignal.timeout(60_000);
const BY_SCHEDULER = { source: "scheduler", isPersistent: true } as const;

test("an export that nobody takes can be cancelled: its machine need not wait until it is too old", async () => {
  await using folder = await tempFolder();
  const { manager, time, admission } = openTestExecutions(new FakeHost());
  const { path, rootfs } = vmFolder(folder.path, VM);
  await mkdir(path, { recursive: true });
  await runTool("qemu-img", ["create", "-q", "-f", "qcow2", rootfs, "8M"], { signal });
  const execution = await manager.ensureRunning(instanceMessage("a"), BY_SCHEDULER, signal);
  const exports = new Exports({
    ...{ computeDir: folder.path, executions: manager, room: admission.claims, clock: time.clock },
    ...{ random: createSeededRandom(1), log: createMemoryLogger() },
  });
  await assert.rejects(exports.cancel(VM), { code: "NOT_EXPORTED" });
  await exports.start(execution);
  await assert.rejects(exports.cancel(VM), { code: "BUSY" });
  while (exports.job(VM)?.state === "exporting") await new Promise((next) => setImmediate(next));
  const token = exports.job(VM)?.exportToken ?? "";
  assert.ok(exports.openDisk(VM, "rootfs.qcow2", token) !== null);
  const start = () => manager.ensureRunning(instanceMessage("a"), BY_SCHEDULER, signal);
  await assert.rejects(start(), /is being moved/);
  await exports.cancel(VM);
  assert.throws(() => exports.openDisk(VM, "rootfs.qcow2", token), { code: "TOKEN_INVALID" });
  assert.equal((await start()).state, "running");
  await exports.close();
});

for (const [what, breakOn, expected] of [
  ["does not stop", "stop", /could not be ended/],
  ["neither copies nor starts again", "start", /qemu-img/],
] as const) {
  test(`a machine that ${what} says why it was not exported, and never runs twice`, async () => {
    await using folder = await tempFolder();
    const host = new FakeHost();
    const { manager, time, admission } = openTestExecutions(host);
    const { path, rootfs } = vmFolder(folder.path, VM);
    await mkdir(path, { recursive: true });
    await runTool("qemu-img", ["create", "-q", "-f", "qcow2", rootfs, "8M"], { signal });
    const execution = await manager.ensureRunning(instanceMessage("a"), BY_SCHEDULER, signal);
    const log = createMemoryLogger();
    const exports = new Exports({
      ...{ computeDir: folder.path, executions: manager, room: admission.claims, clock: time.clock },
      ...{ random: createSeededRandom(1), log },
    });
    const vm = host.processes.get(VM);
    assert.ok(vm !== undefined);
    if (breakOn === "stop") vm.kill = () => Promise.reject(new Error("the helper does not answer"));
    host.before = async (step) => {
      if (step === "stop" && breakOn === "start") await writeFile(rootfs, "no disk");
      if (step === breakOn) throw new Error(`${step} is broken`);
    };
    await exports.start(execution);
    while (exports.job(VM)?.state === "exporting") await new Promise((next) => setImmediate(next));
    assert.match(exports.job(VM)?.error ?? "", expected);
    assert.equal(manager.get(VM)?.state, breakOn === "stop" ? "stopping" : "failed");
    assert.deepEqual(host.violations, []);
    await exports.close();
  });
}
