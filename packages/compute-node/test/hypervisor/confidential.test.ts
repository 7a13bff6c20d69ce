import assert from "node:assert/strict";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { findSev, type SevPaths } from "../../src/helper/sev-host.ts";
import { checkSpec } from "../../src/helper/spec-check.ts";
import { qemuArguments } from "../../src/hypervisor/command-line/qemu-arguments.ts";
import type { VmSpec } from "../../src/hypervisor/vm-spec.ts";

const SPEC: VmSpec = {
  vmHash: "ab".repeat(32),
  vmNumber: 3,
  machine: "q35",
  vcpus: 2,
  memoryMib: 2_048,
  kernel: null,
  drives: [{ path: "/data/rootfs.qcow2", format: "qcow2", isReadOnly: false, media: "disk" }],
  network: { kind: "none" },
  channels: [],
  hasVsock: false,
  snapshot: null,
  confidential: {
    policy: 5,
    firmwarePath: "/data/firmware.fd",
    sessionPath: "/data/session.b64",
    publicKeyPath: "/data/godh.b64",
  },
  leaseMs: null,
  limits: { overheadMib: 512, maxProcesses: 64, diskBytesPerSecond: null },
};
const FILES = {
  kernel: null,
  initrd: null,
  drives: [{ file: 4, backing: null }],
  serialLog: 3,
  memory: null,
  confidential: { firmware: 5, session: 6, publicKey: 7 },
};
const HOST = {
  accelerator: "kvm",
  tscKhz: null,
  sev: { cBitPosition: 51, reducedPhysBits: 1 },
} as const;

describe("a confidential machine", () => {
  test("has what its owner agreed on with the processor, its own firmware, and no balloon", () => {
    const args = qemuArguments(SPEC, FILES, HOST);
    const valuesOf = (flag: string): string[] =>
      args.flatMap((arg, index) => (arg === flag ? [args[index + 1] ?? ""] : []));
    assert.deepEqual(JSON.parse(valuesOf("-object")[0] ?? ""), {
      "qom-type": "sev-guest",
      id: "sev0",
      policy: 5,
      cbitpos: 51,
      "reduced-phys-bits": 1,
      "session-file": "/proc/self/fd/6",
      "dh-cert-file": "/proc/self/fd/7",
    });
    assert.match(valuesOf("-machine")[0] ?? "", /^q35,.*confidential-guest-support=sev0,pflash0=firmware$/);
    assert.deepEqual(valuesOf("-cpu"), ["host,host-phys-bits-limit=0x28"]);
    const firmware = valuesOf("-blockdev").map((text) => JSON.parse(text))[0];
    assert.deepEqual(
      [firmware["node-name"], firmware["read-only"], firmware.file.filename],
      ["firmware", true, "/dev/fdset/5"],
    );
    assert.ok(args.includes("-no-reboot") && args.includes("-S"));
    assert.ok(!args.some((arg) => arg.includes("virtio-balloon")));
  });

  test("is one that boots a disk by its firmware, and nothing else", () => {
    assert.deepEqual(checkSpec(SPEC), SPEC);
    const kernel = { kernelPath: "/k", initrdPath: "/i", arguments: [] };
    for (const wrong of [{ machine: "microvm" as const, kernel }, { kernel }])
      assert.throws(() => checkSpec({ ...SPEC, ...wrong }), /confidential machine is a q35/);
    const snapshot = { kind: "template", folder: "/data/t" } as const;
    assert.throws(() => checkSpec({ ...SPEC, snapshot }), /confidential machine is a q35/);
    const confidential = { ...SPEC.confidential, policy: -1 };
    assert.throws(() => checkSpec({ ...SPEC, confidential }), { code: "SPEC_INVALID" });
  });

  test("needs a processor, a kernel and a helper that offer it: the reason is told where they do not", () => {
    const dir = mkdtempSync(join(tmpdir(), "sev-"));
    try {
      const paths: SevPaths = {
        parameter: join(dir, "sev"),
        device: join(dir, "device"),
        cpuid: join(dir, "cpuid"),
      };
      const problem = (isRoot = true, accelerator: "kvm" | "tcg" = "kvm"): string | null =>
        findSev(accelerator, isRoot, paths).problem;
      assert.match(problem() ?? "", /offers no AMD SEV/);
      writeFileSync(paths.parameter, "N\n");
      assert.match(problem() ?? "", /offers no AMD SEV/);
      writeFileSync(paths.parameter, "Y\n");
      assert.match(problem(true, "tcg") ?? "", /needs KVM/);
      assert.match(problem() ?? "", /load the module ccp/);
      writeFileSync(paths.device, "");
      assert.match(problem(false) ?? "", /must be root/);
      assert.match(problem() ?? "", /load the module cpuid/);
      const registers = Buffer.alloc(16);
      // C-bit 51, five bits of the address fewer, 16 keys.
      registers.writeUInt32LE(51 | (5 << 6) | (16 << 12), 4);
      writeFileSync(paths.cpuid, registers);
      assert.match(problem() ?? "", /load the module cpuid/, "a file that ends before the leaf");
      const file = openSync(paths.cpuid, "w");
      writeSync(file, registers, 0, 16, 0x8000_001f);
      closeSync(file);
      const { facts } = findSev("kvm", true, paths);
      assert.deepEqual(facts, { cBitPosition: 51, reducedPhysBits: 5 });
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
});
