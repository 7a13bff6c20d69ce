import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { HypervisorError } from "../../src/hypervisor/errors.ts";
import { Guest } from "./support/guest.ts";
import { createTestHost, type TestHost, TIME } from "./support/test-host.ts";

describe("a machine in real QEMU", { timeout: 240_000 }, () => {
  let host: TestHost;
  const signal = AbortSignal.timeout(4 * TIME);
  before(async () => {
    host = await createTestHost();
  });
  after(async () => {
    await host[Symbol.asyncDispose]();
  });

  for (const machine of ["microvm", "q35"] as const) {
    it(`boots as ${machine}, is found by others, and ends when it is killed`, async () => {
      const spec = host.spec(machine === "q35" ? 1 : 2, { machine });
      const vm = await host.hypervisor.start(spec, signal);
      using guest = await Guest.connect(vm);
      assert.match(await guest.booted(), /^[0-9a-f-]{36}$/);
      assert.equal((await guest.run("echo $((6 * 7))")).trim(), "42");
      assert.match(readFileSync(join(vm.runDir, "serial.log"), "utf8"), /guest ready/);

      const other = await host.connect();
      const found = await other.find(spec.vmHash, signal);
      assert.equal(found?.pid, vm.pid);
      assert.deepEqual(
        (await other.list(signal)).map(({ vmHash }) => vmHash),
        [spec.vmHash],
      );
      const exit = await vm.kill();
      assert.equal(exit.reason, "killed");
      assert.deepEqual(await found?.exited, exit);
      assert.equal(await other.find(spec.vmHash, signal), null);
      assert.ok(
        !existsSync(`/proc/${vm.pid}/cmdline`) || readFileSync(`/proc/${vm.pid}/cmdline`).length === 0,
      );
    });
  }

  it("is not started twice", async () => {
    const spec = host.spec(3);
    const vm = await host.hypervisor.start(spec, signal);
    const code = (error: unknown): boolean =>
      error instanceof HypervisorError && error.code === "ALREADY_RUNNING";
    await assert.rejects(host.hypervisor.start(spec, signal), code);
    await assert.rejects(host.hypervisor.start({ ...host.spec(4), vmNumber: 3 }, signal), code);
    await vm.kill();
  });

  for (const machine of ["microvm", "q35"] as const) {
    it(`shuts down as ${machine} when it is asked to, and is killed when it does not`, async () => {
      const spec = host.spec(6, { machine });
      const vm = await host.hypervisor.start(spec, signal);
      using guest = await Guest.connect(vm);
      await guest.booted();
      assert.deepEqual((await vm.shutDown(TIME, signal)).reason, "stopped");
      const deaf = await host.hypervisor.start(spec, signal);
      assert.deepEqual((await deaf.shutDown(100, signal)).reason, "killed");
    });
  }

  for (const machine of ["microvm", "q35"] as const) {
    it(`that is asked to shut down while it boots as ${machine} does so as soon as it hears of it`, async () => {
      const vm = await host.hypervisor.start(host.spec(8, { machine }), signal);
      assert.equal((await vm.shutDown(TIME, signal)).reason, "stopped");
    });
  }

  it("keeps its process over a reset", async () => {
    const vm = await host.hypervisor.start(host.spec(7, { machine: "q35" }), signal);
    using guest = await Guest.connect(vm);
    const first = await guest.booted();
    guest.forget();
    await vm.reset(signal);
    assert.notEqual(await guest.booted(), first);
    assert.equal((await host.hypervisor.find(vm.vmHash, signal))?.pid, vm.pid);
    await vm.kill();
  });

  it("says that its guest has shut down, and keeps its log until it is forgotten", async () => {
    const spec = host.spec(5);
    const vm = await host.hypervisor.start(spec, signal);
    using guest = await Guest.connect(vm);
    await guest.booted();
    void guest.run("poweroff -f").catch(() => undefined);
    assert.equal((await vm.exited).reason, "guest-shutdown");
    assert.ok(existsSync(join(vm.runDir, "serial.log")));
    await host.hypervisor.forget(spec.vmHash, signal);
    assert.ok(!existsSync(vm.runDir));
  });
});
