import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { createSystemTimers } from "@twentysix/platform";
import { HypervisorError } from "../../src/hypervisor/errors.ts";
import { Guest } from "./support/guest.ts";
import { createTestHost, type TestHost, TIME } from "./support/test-host.ts";

describe("machines whose helper dies", { timeout: 240_000 }, () => {
  let host: TestHost;
  const signal = AbortSignal.timeout(4 * TIME);
  before(async () => {
    host = await createTestHost();
  });
  after(async () => {
    await host[Symbol.asyncDispose]();
  });

  it("run on, and are adopted by the next one", async () => {
    const vm = await host.hypervisor.start(host.spec(1), signal);
    using guest = await Guest.connect(vm);
    const boot = await guest.booted();
    const killedPid = await host.helperPid();
    process.kill(killedPid, "SIGKILL");

    // The same client goes on: it starts the next helper, and loses no request.
    const found = await host.hypervisor.find(vm.vmHash, signal);
    assert.equal(found?.pid, vm.pid);
    assert.notEqual(await host.helperPid(), killedPid);
    assert.equal((await guest.run("cat /proc/sys/kernel/random/boot_id")).trim(), boot);
    const { running } = await vm.qmp<{ readonly running: boolean }>("query-status", {}, signal);
    assert.equal(running, true);

    const exit = await vm.kill();
    assert.equal(exit.reason, "killed");
    assert.deepEqual(await found?.exited, exit);
  });

  it("that end meanwhile have their end told", async () => {
    const vm = await host.hypervisor.start(host.spec(2), signal);
    using guest = await Guest.connect(vm);
    await guest.booted();
    process.kill(await host.helperPid(), "SIGKILL");
    process.kill(vm.pid, "SIGKILL");
    assert.equal((await vm.exited).reason, "failed");
    assert.equal(await host.hypervisor.find(vm.vmHash, signal), null);
  });

  it("are started once, however often it dies meanwhile", async () => {
    const pid = await host.helperPid();
    const starting = host.hypervisor.start(host.spec(3), signal);
    process.kill(pid, "SIGKILL");
    const vm = await starting;
    const list = await host.hypervisor.list(signal);
    assert.deepEqual(
      list.map((each) => each.pid),
      [vm.pid],
    );
    await vm.kill();
  });
});

function isAlive(pid: number): boolean {
  return existsSync(`/proc/${pid}`) && !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
}

describe("the lease of a machine", { timeout: 240_000 }, () => {
  let host: TestHost;
  const signal = AbortSignal.timeout(4 * TIME);
  before(async () => {
    host = await createTestHost();
  });
  after(async () => {
    await host[Symbol.asyncDispose]();
  });

  it("ends it when nobody renews it", async () => {
    const vm = await host.hypervisor.start(host.spec(1, { leaseMs: 1_000 }), signal);
    assert.ok(vm.leaseEndsAtMs !== null && vm.leaseEndsAtMs <= Date.now() + 1_000);
    assert.equal((await vm.exited).reason, "lease-expired");
    await assert.rejects(
      vm.renewLease(signal),
      (error) => error instanceof HypervisorError && error.code === "NOT_RUNNING",
    );
  });

  it("ends it though neither its helper nor its node is there any more", async () => {
    const node = await host.connect();
    const { pid } = await node.start(host.spec(4, { leaseMs: 1_000 }), signal);
    const helperPid = await host.helperPid();
    host.disconnect();
    process.kill(helperPid, "SIGKILL");
    const timers = createSystemTimers();
    while (isAlive(pid)) await timers.sleep(50, signal);
    await host.reconnect();
    assert.deepEqual(await host.hypervisor.list(signal), []);
  });

  it("goes on from its renewal", async () => {
    const vm = await host.hypervisor.start(host.spec(2, { leaseMs: 60_000 }), signal);
    const before = vm.leaseEndsAtMs ?? 0;
    await vm.renewLease(signal);
    assert.ok((vm.leaseEndsAtMs ?? 0) > before);
    await vm.kill();
  });

  it("ends it though its helper was killed and is back late", async () => {
    const vm = await host.hypervisor.start(host.spec(3, { leaseMs: 2_000 }), signal);
    process.kill(await host.helperPid(), "SIGKILL");
    assert.equal((await vm.exited).reason, "lease-expired");
  });
});
