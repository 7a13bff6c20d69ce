import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const COMMAND = fileURLToPath(new URL("../bin/twentysix.mjs", import.meta.url));

test("twentysix doctor tells what this machine offers, and where something is missing what to do", async () => {
  const folder = await mkdtemp(join(tmpdir(), "doctor-"));
  try {
    const flags = ["doctor", "--data-dir", folder, "--json"];
    const { stdout } = await promisify(execFile)(process.execPath, [COMMAND, ...flags]).catch(
      (error: { readonly stdout: string }) => error,
    );
    const findings = JSON.parse(stdout) as readonly { name: string; state: string; detail: string }[];
    const names = findings.map(({ name }) => name);
    for (const name of ["qemu-system-x86_64", "qemu-img", "kvm", "tap", "root", "memory", "disk"]) {
      assert.ok(names.includes(name), name);
    }
    assert.equal(new Set(names).size, names.length, "each thing is told once");
    assert.ok(findings.every(({ detail }) => detail.length > 0));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
