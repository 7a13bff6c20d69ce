import assert from "node:assert/strict";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { Inventory } from "../../src/helper/inventory.ts";
import { takeInventory } from "../../src/helper/inventory.ts";
import { createTestHost, type TestHost, TIME } from "./support/test-host.ts";

describe("the inventory of a host", { timeout: 240_000 }, () => {
  let host: TestHost;
  const signal = AbortSignal.timeout(4 * TIME);
  before(async () => {
    host = await createTestHost();
  });
  after(async () => {
    await host[Symbol.asyncDispose]();
  });

  it("lists what a machine has, until it has ended", async () => {
    const vm = await host.hypervisor.start(host.spec(1), signal);
    const inventory = (): Promise<Inventory> =>
      host.hypervisor.helper.call<Inventory>("inventory", {}, signal);
    const { entries, orphans } = await inventory();
    assert.deepEqual(orphans, []);
    assert.deepEqual(
      entries.map(({ kind, name, vmHash }) => [kind, name, vmHash]),
      [
        ["process", String(vm.pid), vm.vmHash],
        ["folder", vm.runDir, vm.vmHash],
      ],
    );
    await vm.kill();
    await host.hypervisor.forget(vm.vmHash, signal);
    assert.deepEqual(await inventory(), { entries: [], orphans: [] });
  });

  it("finds the process that nobody remembers", async () => {
    const vm = await host.hypervisor.start(host.spec(2), signal);
    const pid = await host.helperPid();
    host.disconnect();
    process.kill(pid, "SIGKILL");
    const records = join(host.dir, "helper");
    for (const name of readdirSync(records).filter((each) => each.startsWith("vm-")))
      rmSync(join(records, name));

    const { orphans } = await takeInventory(host.dir, [], signal);
    assert.deepEqual(
      orphans.map(({ kind, name }) => [kind, name]),
      [
        ["process", String(vm.pid)],
        ["folder", vm.runDir],
      ],
    );
    process.kill(vm.pid, "SIGKILL");
    await host.reconnect();
  });
});
