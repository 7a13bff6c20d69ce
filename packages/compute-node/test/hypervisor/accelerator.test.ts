import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { createMemoryLogger, createSystemClock, createSystemTimers } from "@twentysix/platform";
import { startHelper } from "../../src/helper/start-helper.ts";
import { HelperHypervisor } from "../../src/hypervisor/helper-hypervisor.ts";
import { guestImage } from "./support/guest-image.ts";
import { specOf } from "./support/test-host.ts";

const LIMIT_MS = 120_000;

/**
 * Stands before QEMU: writes down what it is asked to run on. As on a host whose virtualisation works, where the guest
 * is emulated all the same; or as on one where it does not.
 */
const qemuOf = (kvmWorks: boolean, notes: string): string => `#!/bin/bash
for argument in "$@"; do case $argument in kvm|kvm,*|tcg|tcg,*) echo "$argument" >>${notes};; esac; done
words=()
for argument in "$@"; do
  case $argument in
    kvm|kvm,*) ${kvmWorks ? "words+=(tcg)" : "echo no virtualisation; exit 1"};;
    host|host,*) words+=(max);;
    *) words+=("$argument");;
  esac
done
exec qemu-system-x86_64 "\${words[@]}"
`;

describe("what machines run on", { skip: !existsSync("/dev/kvm"), timeout: 2 * LIMIT_MS }, () => {
  for (const accelerator of ["kvm", "tcg"] as const) {
    it(`is ${accelerator} where the guest of the probe ${accelerator === "kvm" ? "boots on it" : "does not boot on KVM"}`, async () => {
      const signal = AbortSignal.timeout(LIMIT_MS);
      const images = await guestImage();
      const dir = mkdtempSync(join(tmpdir(), "accelerator-"));
      // The program runs as the user of a machine.
      chmodSync(dir, 0o711);
      const [program, notes] = [join(dir, "qemu"), join(dir, "notes")];
      writeFileSync(notes, "");
      chmodSync(notes, 0o666);
      writeFileSync(program, qemuOf(accelerator === "kvm", notes), { mode: 0o755 });
      const surroundings = { timers: createSystemTimers(), log: createMemoryLogger() };
      try {
        await using _helper = await startHelper({
          dir,
          readOnlyDirs: [dirname(images.kernelPath)],
          qemuProgram: program,
          images,
          parts: async () => [],
          clock: createSystemClock(),
          ...surroundings,
        });
        using hypervisor = await HelperHypervisor.open({ dir, command: null, ...surroundings }, signal);
        assert.equal(hypervisor.capabilities().accelerator, accelerator);
        assert.equal(hypervisor.capabilities().missing.kvm === undefined, accelerator === "kvm");
        writeFileSync(notes, "");
        const vm = await hypervisor.start(specOf(2, images), signal);
        assert.match(readFileSync(notes, "utf8"), new RegExp(`^${accelerator}(,.*)?\\n$`));
        await vm.kill();
      } finally {
        rmSync(dir, { recursive: true, force: true });
      }
    });
  }
});
