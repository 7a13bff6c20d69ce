import assert from "node:assert/strict";
import { mkdirSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { DriveSpec } from "../../src/hypervisor/vm-spec.ts";
import { Guest } from "./support/guest.ts";
import { createTestHost, type TestHost, TIME } from "./support/test-host.ts";

/** Of QEMU's `query-block`. */
interface BlockDevice {
  readonly inserted?: { readonly bps: number; readonly group?: string };
}

const SLOW = 16 * 1_048_576;
const PLACEHOLDER_BYTES = 64 * 1_048_576;

describe("a template in real QEMU", { timeout: 240_000 }, () => {
  let host: TestHost;
  const signal = AbortSignal.timeout(4 * TIME);
  before(async () => {
    host = await createTestHost();
  });
  after(async () => {
    await host[Symbol.asyncDispose]();
  });

  /** A drive of the size that the template saw, with a text at its start. */
  function drive(name: string, text: string, isReadOnly: boolean): DriveSpec {
    const path = join(host.dir, name);
    writeFileSync(path, text);
    truncateSync(path, PLACEHOLDER_BYTES);
    return { path, format: "raw", isReadOnly, media: "disk" };
  }

  it("continues in eight machines at once, each with its own drives and memory", async () => {
    const folder = join(host.dir, "templates", "small");
    mkdirSync(folder, { recursive: true });
    const network = {
      kind: "user",
      macAddress: "52:54:00:12:34:56",
      hasInternet: false,
      forwards: [],
    } as const;
    const template = host.spec(100, {
      network,
      drives: [drive("base", "base", true), drive("placeholder", "", false)],
      snapshot: { kind: "template", folder },
    });
    const vm = await host.hypervisor.start(template, signal);
    {
      using guest = await Guest.connect(vm);
      await guest.booted();
      await guest.run("echo kept > /state");
    }
    await vm.saveTemplate(signal);
    assert.equal((await vm.exited).reason, "stopped");
    const memory = statSync(join(folder, "ram"));

    const clones = await Promise.all(
      Array.from({ length: 8 }, async (_, index) => {
        const spec = host.spec(101 + index, {
          network,
          drives: [drive("base", "base", true), drive(`own${index}`, `drive of ${index}.`, false)],
          snapshot: { kind: "resume", folder },
          limits: { ...template.limits, diskBytesPerSecond: index === 0 ? SLOW : null },
        });
        const clone = await host.hypervisor.start(spec, signal);
        using guest = await Guest.connect(clone);
        const answer = await guest.run(
          `cat /state; head -c 4 /dev/vda; head -c 11 /dev/vdb; echo clone ${index} > /state; cat /state`,
        );
        return { clone, answer, index };
      }),
    );
    for (const { answer, index } of clones) {
      assert.equal(answer, `kept\nbasedrive of ${index}.clone ${index}\n`);
    }
    assert.equal(new Set(clones.map(({ clone }) => clone.pid)).size, 8);
    for (const { clone, index } of clones.slice(0, 2)) {
      const disks = await clone.qmp<readonly BlockDevice[]>("query-block", {}, signal);
      const limits = disks.map(({ inserted }) => [inserted?.bps, inserted?.group]);
      const wanted = index === 0 ? [SLOW, "disks"] : [0, undefined];
      assert.deepEqual(limits, [wanted, wanted], "each is as slow as it shall be, whatever its template was");
    }
    await Promise.all(clones.map(({ clone }) => clone.kill()));
    assert.equal(
      statSync(join(folder, "ram")).mtimeMs,
      memory.mtimeMs,
      "nobody wrote to the memory of the template",
    );
  });

  it("is refused while it was not saved", async () => {
    const folder = join(host.dir, "templates", "unsaved");
    mkdirSync(folder, { recursive: true });
    const spec = host.spec(120, { snapshot: { kind: "resume", folder } });
    await assert.rejects(host.hypervisor.start(spec, signal), /was not saved, or is damaged/);
  });
});
