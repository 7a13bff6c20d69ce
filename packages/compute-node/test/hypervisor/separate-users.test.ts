import assert from "node:assert/strict";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { it } from "node:test";
import { fileURLToPath } from "node:url";
import { createMemoryLogger, createSystemClock, createSystemTimers } from "@twentysix/platform";
import { claimMachineUsers, USERS_FOLDER } from "../../src/helper/claim-machine-users.ts";
import { startHelper } from "../../src/helper/start-helper.ts";
import { runTool } from "../../src/processes/run-tool.ts";
import { guestImage } from "./support/guest-image.ts";
import { specOf } from "./support/test-host.ts";

const NODE_SCRIPT = fileURLToPath(new URL("./support/unprivileged-node.ts", import.meta.url));
/** Nobody's on this machine. */
const NODE_USER = 123_456;
const isRoot = process.getuid?.() === 0;

it("a node without rights uses a helper that has them", { skip: !isRoot, timeout: 240_000 }, async () => {
  const signal = AbortSignal.timeout(240_000);
  const image = await guestImage();
  const outer = mkdtempSync(join(tmpdir(), "users-"));
  chmodSync(outer, 0o711);
  const dir = join(outer, "compute");
  mkdirSync(dir, { mode: 0o700 });
  await runTool("chown", [`${NODE_USER}:${NODE_USER}`, dir], { signal });
  const images = join(outer, "images");
  mkdirSync(images);
  for (const name of ["kernel", "initrd"])
    copyFileSync(join(dirname(image.kernelPath), name), join(images, name));
  const ready = { kernelPath: join(images, "kernel"), initrdPath: join(images, "initrd") };
  try {
    await using _helper = await startHelper({
      dir,
      readOnlyDirs: [images],
      qemuProgram: "qemu-system-x86_64",
      images: ready,
      parts: async () => [],
      clock: createSystemClock(),
      timers: createSystemTimers(),
      log: createMemoryLogger(),
    });
    const asNode = ["--reuid", String(NODE_USER), "--regid", String(NODE_USER), "--clear-groups"];
    const spec = JSON.stringify(specOf(11, ready));
    const output = await runTool("setpriv", [...asNode, process.execPath, NODE_SCRIPT, dir, spec], {
      signal,
    });
    assert.deepEqual(JSON.parse(output), {
      userId: NODE_USER,
      answer: "hello\n",
      log: true,
      vmUser: String(claimMachineUsers(dir, USERS_FOLDER).of(11)),
      exit: "killed",
      isForgotten: true,
    });
  } finally {
    rmSync(outer, { recursive: true, force: true });
  }
});
