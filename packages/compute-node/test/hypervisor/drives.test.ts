import assert from "node:assert/strict";
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { DriveSpec } from "../../src/hypervisor/vm-spec.ts";
import { runTool } from "../../src/processes/run-tool.ts";
import { Guest } from "./support/guest.ts";
import { createTestHost, type TestHost, TIME } from "./support/test-host.ts";

const SIZE_BYTES = 8 * 1_048_576;

describe("drives of a machine in real QEMU", { timeout: 240_000 }, () => {
  let host: TestHost;
  const signal = AbortSignal.timeout(4 * TIME);
  before(async () => {
    host = await createTestHost();
  });
  after(async () => {
    await host[Symbol.asyncDispose]();
  });

  function raw(name: string, text: string): string {
    const path = join(host.dir, name);
    writeFileSync(path, text);
    truncateSync(path, SIZE_BYTES);
    return path;
  }

  const disk = (path: string, changes?: Partial<DriveSpec>): DriveSpec => ({
    path,
    format: "raw",
    isReadOnly: false,
    media: "disk",
    ...changes,
  });

  for (const machine of ["microvm", "q35"] as const) {
    it(`are in their order on ${machine}; what is written stays, and not below an overlay`, async () => {
      const base = raw(`base-${machine}`, "base");
      const overlay = join(host.dir, `overlay-${machine}.qcow2`);
      await runTool("qemu-img", ["create", "-q", "-f", "qcow2", "-b", base, "-F", "raw", overlay], {
        signal,
      });
      const plain = raw(`plain-${machine}`, "plain");
      const seed = raw(`seed-${machine}`, "seed");
      const spec = host.spec(machine === "q35" ? 1 : 2, {
        machine,
        drives: [
          disk(overlay, { format: "qcow2", backing: { path: base, format: "raw" } }),
          disk(plain),
          disk(seed, { isReadOnly: true, media: "cdrom" }),
        ],
      });
      const first = await host.hypervisor.start(spec, signal);
      {
        using guest = await Guest.connect(first);
        await guest.booted();
        assert.equal(
          await guest.run("head -c 4 /dev/vda; head -c 5 /dev/vdb; head -c 4 /dev/vdc"),
          "baseplainseed",
        );
        await guest.run("for d in vda vdb; do echo $d | dd of=/dev/$d conv=notrunc; done 2>/dev/null; sync");
        assert.match(await guest.run("echo no > /dev/vdc"), /not permitted|Read-only/);
      }
      await first.kill();
      assert.equal(readFileSync(base, "utf8").slice(0, 4), "base");
      assert.equal(readFileSync(plain, "utf8").slice(0, 4), "vdb\n");

      const second = await host.hypervisor.start(spec, signal);
      using guest = await Guest.connect(second);
      await guest.booted();
      assert.equal(await guest.run("head -c 4 /dev/vda"), "vda\n");
      await second.kill();
    });
  }

  it("that are written to belong to one machine at a time", async () => {
    const path = raw("shared", "shared");
    const vm = await host.hypervisor.start(host.spec(3, { drives: [disk(path)] }), signal);
    await assert.rejects(host.hypervisor.start(host.spec(4, { drives: [disk(path)] }), signal), /lock/);
    await vm.kill();
  });

  const canMount = process.getuid?.() === 0 ? false : "only root mounts disks";
  it("that had no room on the host go on when there is room again", { skip: canMount }, async () => {
    const folder = join(host.dir, "small");
    mkdirSync(folder);
    const mount = async (options: string): Promise<void> => {
      await runTool("mount", ["-t", "tmpfs", "-o", options, "tmpfs", folder], { signal });
    };
    await mount("size=4m");
    try {
      const vm = await host.hypervisor.start(host.spec(6, { drives: [disk(raw("small/disk", ""))] }), signal);
      using guest = await Guest.connect(vm);
      await guest.booted();
      const written = guest.run(
        "dd if=/dev/urandom of=/dev/vda bs=1M count=7 2>/dev/null; sync; echo written",
      );
      const state = async (): Promise<string> =>
        (await vm.qmp<{ readonly status: string }>("query-status", {}, signal)).status;
      while ((await state()) !== "io-error") await delay(100);
      await mount("remount,size=32m");
      assert.equal(await written, "written\n");
      assert.equal(await state(), "running");
      await vm.kill();
    } finally {
      await runTool("umount", ["--lazy", folder], { signal });
    }
  });

  for (const machine of ["microvm", "q35"] as const) {
    it(`are as slow as they shall be on ${machine}, all together`, async () => {
      const limits = { ...host.spec(5).limits, diskBytesPerSecond: 1_048_576 };
      const drives = [disk(raw(`slow-${machine}`, "")), disk(raw(`slower-${machine}`, ""))];
      const vm = await host.hypervisor.start(host.spec(5, { machine, limits, drives }), signal);
      const nodes = await vm.qmp<readonly { readonly drv: string }[]>("query-named-block-nodes", {}, signal);
      assert.equal(nodes.filter(({ drv }) => drv === "throttle").length, drives.length);
      const objects = await vm.qmp<readonly { readonly name: string; readonly type: string }[]>(
        "qom-list",
        { path: "/objects" },
        signal,
      );
      const groups = objects.filter(({ type }) => type === "child<throttle-group>");
      assert.equal(groups.length, 1);
      const shared = { path: `/objects/${groups[0]?.name}`, property: "limits" };
      const granted = await vm.qmp<{ readonly "bps-total": number }>("qom-get", shared, signal);
      assert.equal(granted["bps-total"], 1_048_576);
      await vm.kill();
    });
  }
});
