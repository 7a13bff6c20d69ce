import assert from "node:assert/strict";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { diagnose } from "../src/doctor/diagnose.ts";
import { tempFolder } from "./support/temp-folder.ts";

test("a program on the search path is found; one that is missing names its package", async () => {
  await using folder = await tempFolder();
  const program = join(folder.path, "mmdebstrap");
  await writeFile(program, "#!/bin/sh\n");
  await chmod(program, 0o755);
  const findings = await diagnose({
    dir: folder.path,
    imagesDir: folder.path,
    searchPath: folder.path,
    capabilities: null,
  });
  const found = findings.find(({ name }) => name === "mmdebstrap");
  assert.deepEqual([found?.state, found?.detail], ["ok", program]);
  const qemu = findings.find(({ name }) => name === "qemu-system-x86_64");
  assert.deepEqual([qemu?.state, qemu?.remedy], ["missing", "apt-get install qemu-system-x86"]);
});

test("what starting guests has shown counts more than a device that can be opened", async () => {
  await using folder = await tempFolder();
  const missing = { kvm: "a guest did not boot within 20 s", vsock: "there is no /dev/vhost-vsock" };
  const capabilities = { accelerator: "tcg", missing, hasVsock: false, slowness: 10 } as const;
  const findings = await diagnose({ dir: folder.path, imagesDir: folder.path, searchPath: "", capabilities });
  const kvm = findings.filter(({ name }) => name === "kvm");
  assert.deepEqual(
    kvm.map(({ state, detail }) => [state, detail]),
    [["limited", "a guest did not boot within 20 s; guests are emulated"]],
  );
  const vsock = findings.filter(({ name }) => name === "vsock");
  assert.deepEqual(
    vsock.map(({ state, detail }) => [state, detail]),
    [["limited", "there is no /dev/vhost-vsock"]],
  );
});
