import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { qemuArguments } from "../../src/hypervisor/command-line/qemu-arguments.ts";
import type { DriveSpec, VmSpec } from "../../src/hypervisor/vm-spec.ts";

const TCG = { accelerator: "tcg", tscKhz: 2_596_124 } as const;
const KVM = { accelerator: "kvm", tscKhz: null } as const;

const drive = (isReadOnly: boolean): DriveSpec => ({
  path: "/data/compute/cache/file",
  format: "raw",
  isReadOnly,
  media: "disk",
});

const SPEC: VmSpec = {
  vmHash: "ab".repeat(32),
  vmNumber: 3,
  machine: "microvm",
  vcpus: 1,
  memoryMib: 256,
  kernel: { kernelPath: "/images/kernel", initrdPath: "/images/initrd", arguments: ["twentysix.x=1"] },
  drives: [drive(true), drive(false)],
  network: { kind: "tap", tapName: "t26abcdef-3", macAddress: "02:26:00:00:00:01" },
  channels: ["aleph.52"],
  hasVsock: false,
  snapshot: null,
  leaseMs: null,
  limits: { overheadMib: 256, maxProcesses: 64, diskBytesPerSecond: null },
};

function command(changes: Partial<VmSpec> = {}, host: typeof TCG | typeof KVM = TCG): string[] {
  const spec = { ...SPEC, ...changes };
  const drives = spec.drives.map((_, index) => ({ file: 10 + index, backing: null }));
  return qemuArguments(spec, { kernel: 3, initrd: 4, drives, serialLog: 5, memory: 6 }, host);
}

/** The values that follow an option. */
const valuesOf = (args: readonly string[], option: string): string[] =>
  args.flatMap((arg, index) => (arg === option ? [args[index + 1] ?? ""] : []));

describe("the command line of a machine", () => {
  it("names no file: all are open already", () => {
    const text = command().join(" ");
    for (const path of ["/data/", "/images/"]) assert.ok(!text.includes(path), path);
    assert.deepEqual(valuesOf(command(), "-kernel"), ["/proc/self/fd/3"]);
  });

  it("has a vsock device in a process of its own, which shares its memory", () => {
    const args = command({ hasVsock: true, machine: "microvm" });
    const [, memory] = valuesOf(args, "-object").join(" ").split("memory-backend-memfd,");
    assert.equal(memory, "id=mem0,size=256M,share=on");
    assert.match(valuesOf(args, "-machine").join(), /memory-backend=mem0/);
    assert.ok(valuesOf(args, "-chardev").includes("socket,id=vsock,path=vsock-device.sock"));
    const devices = valuesOf(args, "-device").map((text) => JSON.parse(text).driver);
    assert.ok(devices.includes("vhost-user-vsock-device"));
    const without = command().join(" ");
    for (const word of ["vsock", "memfd"]) assert.ok(!without.includes(word), word);
  });

  it("locks QEMU in, and lets the guest wait", () => {
    const args = command();
    assert.ok(args.includes("-S"));
    assert.deepEqual(valuesOf(args, "-sandbox"), [
      "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
    ]);
    assert.ok(args.includes("-nodefaults"));
  });

  it("tells an emulated microvm its counter, which it cannot measure", () => {
    const [emulated] = valuesOf(command(), "-append");
    assert.match(emulated ?? "", /tsc=reliable tsc_early_khz=2596124 twentysix\.x=1$/);
    const [hardware] = valuesOf(command({}, KVM), "-append");
    assert.doesNotMatch(hardware ?? "", /tsc|mitigations/);
    const [board] = valuesOf(command({ machine: "q35" }), "-append");
    assert.doesNotMatch(board ?? "", /tsc/);
  });

  it("has the same devices for a template and for what continues from it", () => {
    const folder = "/data/compute/templates/x";
    const devices = (kind: "template" | "resume") =>
      valuesOf(command({ snapshot: { kind, folder } }), "-device");
    assert.deepEqual(devices("template"), devices("resume"));
    const memory = (kind: "template" | "resume") =>
      valuesOf(command({ snapshot: { kind, folder } }), "-object")[0];
    assert.match(memory("template") ?? "", /share=on$/);
    assert.match(memory("resume") ?? "", /share=off$/);
    assert.deepEqual(valuesOf(command({ snapshot: { kind: "resume", folder } }), "-incoming"), ["defer"]);
  });

  it("is the same for a template and what continues from it, however slow disks shall be", () => {
    const slow = { ...SPEC.limits, diskBytesPerSecond: 1_048_576 };
    for (const kind of ["template", "resume"] as const) {
      const snapshot = { kind, folder: "/data/compute/templates/x" };
      assert.deepEqual(command({ snapshot, limits: slow }), command({ snapshot }));
    }
    assert.notDeepEqual(command({ limits: slow }), command());
  });

  it("keeps devices of a q35 at their places, whatever else there is", () => {
    const places = (changes: Partial<VmSpec>) =>
      Object.fromEntries(
        valuesOf(command({ machine: "q35", ...changes }), "-device")
          .map((text) => JSON.parse(text) as { readonly id?: string; readonly addr?: string })
          .map(({ id, addr }) => [id, addr]),
      );
    const all = places({});
    assert.equal(all.disk0, "0x8");
    assert.equal(places({ network: { kind: "none" }, channels: [] }).disk0, "0x8");
    assert.equal(all.nic0, "0x2");
    assert.equal(places({ drives: [] }).nic0, "0x2");
  });

  it("never follows what an image says of others", () => {
    const overlay: DriveSpec = { ...drive(false), format: "qcow2" };
    const [node] = valuesOf(command({ drives: [overlay] }), "-blockdev").map((text) => JSON.parse(text));
    assert.equal(node.backing, null);
    assert.equal(node.file.filename, "/dev/fdset/10");
  });

  it("lets a machine without internet reach nothing on QEMU's own network", () => {
    const network = {
      kind: "user",
      macAddress: "02:26:00:00:00:01",
      hasInternet: false,
      forwards: [],
    } as const;
    const [netdev] = valuesOf(command({ network }), "-netdev");
    assert.equal(JSON.parse(netdev ?? "").restrict, true);
  });
});
