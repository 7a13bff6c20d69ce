import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { identify } from "../../src/helper/host-processes.ts";
import { LeaseWatchdog } from "../../src/helper/lease-watchdog.ts";
import { runTool } from "../../src/processes/run-tool.ts";
import { tempFolder } from "../support/temp-folder.ts";

const signal = AbortSignal.timeout(30_000);
const isRoot = process.getuid?.() === 0;

test("leases go on when the disk is full", { skip: isRoot ? false : "only root mounts disks" }, async () => {
  await using folder = await tempFolder();
  const disk = folder.path;
  await runTool("mount", ["-t", "tmpfs", "-o", "size=256k", "tmpfs", disk], { signal });
  const leases = new LeaseWatchdog(join(disk, "leases"));
  try {
    const self = identify(process.pid);
    assert.ok(self !== null);
    const end = (): number =>
      Number(
        readFileSync(join(disk, "leases", "vm.lease"), "utf8")
          .trim()
          .split(" ")[2],
      );
    const far = 1e12;
    leases.write("vm", self, far);
    const before = end();
    assert.throws(() => writeFileSync(join(disk, "full"), Buffer.alloc(1_048_576)), { code: "ENOSPC" });
    leases.write("vm", self, far + 20_000);
    assert.equal(end(), before + 20);
    assert.throws(() => leases.write("other", self, far), { code: "ENOSPC" }, "a new one has no place");
  } finally {
    leases.remove("vm");
    leases.remove("other");
    await runTool("umount", ["--lazy", disk], { signal });
  }
});
