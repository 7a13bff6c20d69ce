import assert from "node:assert/strict";
import { chmod, mkdir, readFile, truncate, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { describe, test } from "node:test";
import { flattenImage } from "../../src/instances/disks/flatten-image.ts";
import { runImageTool } from "../../src/instances/disks/image-tool.ts";
import { checkImage, createOverlay } from "../../src/instances/disks/qemu-img.ts";
import { runTool } from "../../src/processes/run-tool.ts";
import { tempFolder } from "../support/temp-folder.ts";

const signal = AbortSignal.timeout(60_000);
const IS_ROOT = process.getuid?.() === 0;
const MIB = 1_048_576;

/** What qemu-img could do is told by a script of its name. */
async function asTool(folder: string, script: string, work: () => Promise<void>): Promise<void> {
  const bin = join(folder, "bin");
  await mkdir(bin, { recursive: true });
  for (const path of [folder, bin]) await chmod(path, 0o755);
  await writeFile(join(bin, "qemu-img"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const { PATH } = process.env;
  process.env.PATH = `${bin}${delimiter}${PATH}`;
  try {
    await work();
  } finally {
    process.env.PATH = PATH;
  }
}

describe("the tool that reads images of strangers", () => {
  test("has bounds, and reaches its files alone", async () => {
    await using folder = await tempFolder();
    const secret = join(folder.path, "secret");
    await writeFile(secret, "a key of the node", { mode: 0o600 });
    const target = join(folder.path, "target");
    const script = `{ id -u; ulimit -v; ulimit -t; ulimit -c; cat ${secret} || echo none; } > "$1"`;
    await asTool(folder.path, script, () =>
      runImageTool([{ path: target, access: "create" }], ([name = ""]) => [name], { timeMs: 5_000, signal }),
    );
    const [user, memoryKib, seconds, core, key] = (await readFile(target, "utf8")).split("\n");
    assert.deepEqual([memoryKib, seconds, core], ["2097152", "20", "0"]);
    if (!IS_ROOT) return;
    assert.ok(Number(user) > 200_000, `it runs as ${user}`);
    assert.equal(key, "none");
  });

  test("is ended when its time is over", async () => {
    await using folder = await tempFolder();
    await asTool(folder.path, "exec sleep 60", async () => {
      const endless = runImageTool([], () => ["check"], { timeMs: 100, signal });
      await assert.rejects(endless, { code: "TOOL_FAILED", message: "qemu-img took more than 1 s" });
    });
  });
});

describe("a flat copy of a disk", () => {
  for (const format of ["raw", "qcow2"] as const) {
    test(`holds what its parent holds, which is ${format}, and what was written since`, async () => {
      await using folder = await tempFolder();
      const [parent, disk] = [join(folder.path, "parent.img"), join(folder.path, "disk.qcow2")];
      await runTool("qemu-img", ["create", "-q", "-f", format, parent, "4M"], { signal });
      await runTool("qemu-io", ["-f", format, "-c", "write -P 7 0 1M", parent], { signal });
      await chmod(parent, 0o600);
      await createOverlay(disk, { path: parent, format }, 8, signal);
      await runTool("qemu-io", ["-c", "write -P 9 2M 1M", disk], { signal });
      const flat = join(folder.path, "flat.qcow2");
      await flattenImage({ path: disk, format: "qcow2", isInUse: false }, flat, signal);
      await checkImage(flat, signal);
      await runTool("qemu-img", ["compare", "-q", disk, flat], { signal });
      const info = await runTool("qemu-img", ["info", "--output=json", flat], { signal });
      const { "backing-filename": backing, "virtual-size": sizeBytes } = JSON.parse(info);
      assert.deepEqual([backing, sizeBytes], [undefined, 8 * MIB]);
    });
  }

  test("takes a raw disk for its bytes, whatever its guest has written there", async () => {
    await using folder = await tempFolder();
    const [disk, lure] = [join(folder.path, "volume.ext4"), join(folder.path, "lure.qcow2")];
    const below = ["-u", "-F", "raw", "-b", "/etc/passwd"];
    await runTool("qemu-img", ["create", "-q", "-f", "qcow2", ...below, lure, "4M"], { signal });
    await writeFile(disk, await readFile(lure), { mode: 0o600 });
    await truncate(disk, 4 * MIB);
    const flat = join(folder.path, "flat.qcow2");
    await flattenImage({ path: disk, format: "raw", isInUse: true }, flat, signal);
    await runTool("qemu-img", ["compare", "-q", "-f", "raw", "-F", "qcow2", disk, flat], { signal });
  });
});
