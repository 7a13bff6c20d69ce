import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { copyFile, link, mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { MachineVolume, RootfsVolume } from "@twentysix/protocol";
import type { Execution } from "../../src/executions/execution.ts";
import type { VmSpec } from "../../src/hypervisor/vm-spec.ts";
import type { FileCache } from "../../src/images/images.ts";
import { ensureDataDisks } from "../../src/instances/disks/data-disks.ts";
import { ensureRootDisk } from "../../src/instances/disks/root-disk.ts";
import { sha256OfFile } from "../../src/instances/disks/sha256-of-file.ts";
import { vmFolder } from "../../src/instances/disks/vm-folder.ts";
import { InstanceRunner, type InstanceServices } from "../../src/instances/instance-runner.ts";
import { runTool } from "../../src/processes/run-tool.ts";
import { exists } from "../../src/volumes/file-exists.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { instanceMessage } from "../support/vm-messages.ts";

const signal = AbortSignal.timeout(120_000);
const HASH = "ab".repeat(32);
const rootfs = (size_mib = 16): RootfsVolume => ({
  parent: { ref: "cd".repeat(32), use_latest: true },
  persistence: "host",
  size_mib,
  forgotten_by: null,
});

/** A cache whose only file is one on this disk. */
function cacheOf(path: string): FileCache & { released: number } {
  const cache = {
    released: 0,
    acquire: async () => ({
      path,
      sizeBytes: (await stat(path)).size,
      sha256: await sha256OfFile(path, signal),
      release: () => {
        cache.released += 1;
      },
    }),
  };
  return cache;
}

async function parentOf(folder: string, make: readonly string[]): Promise<string> {
  const path = join(folder, "parent.img");
  await runTool("qemu-img", ["create", "-q", ...make.map((part) => (part === "PATH" ? path : part))], {
    signal,
  });
  return path;
}

async function setUp(folder: string, parent: string, maxParentBytes = 1e9) {
  const vm = vmFolder(folder, HASH);
  await mkdir(vm.path, { recursive: true });
  const cache = cacheOf(parent);
  return { vm, cache, services: { cache, maxParentBytes } };
}

describe("the disk of an instance", () => {
  test("stands on its parent, which stays when the cache forgets it", async () => {
    await using folder = await tempFolder();
    const parent = await parentOf(folder.path, ["-f", "raw", "PATH", "8M"]);
    const bytes = randomBytes(65_536);
    await writeFile(parent, bytes, { flag: "r+" });
    const { vm, cache, services } = await setUp(folder.path, parent);
    await ensureRootDisk(vm, rootfs(), services, signal);
    await rm(parent);
    const flat = join(folder.path, "flat.raw");
    await runTool("qemu-img", ["convert", "-O", "raw", vm.rootfs, flat], { signal });
    const content = await readFile(flat);
    assert.equal(content.length, 16 * 1_048_576);
    assert.deepEqual(content.subarray(0, bytes.length), bytes);
    assert.equal(cache.released, 1);
  });

  test("is left as it is by a second start", async () => {
    await using folder = await tempFolder();
    const { vm, services } = await setUp(
      folder.path,
      await parentOf(folder.path, ["-f", "raw", "PATH", "8M"]),
    );
    await ensureRootDisk(vm, rootfs(), services, signal);
    const { ino, mtimeMs } = await stat(vm.rootfs);
    await ensureRootDisk(vm, rootfs(), services, signal);
    assert.deepEqual([ino, mtimeMs], [(await stat(vm.rootfs)).ino, (await stat(vm.rootfs)).mtimeMs]);
  });

  const refusals: readonly (readonly [string, readonly string[], RegExp])[] = [
    [
      "stands on a file of this host",
      ["-f", "qcow2", "-F", "raw", "-b", "/etc/passwd", "PATH", "8M"],
      /backing file/,
    ],
    [
      "keeps its bytes in a file of this host",
      ["-f", "qcow2", "-o", "data_file=/tmp/twentysix-data.raw,data_file_raw=on", "PATH", "8M"],
      /external data file/,
    ],
    ["is larger than the message says", ["-f", "qcow2", "PATH", "64M"], /raise size_mib/],
  ];
  for (const [what, make, why] of refusals) {
    test(`is refused when its parent ${what}`, async () => {
      await using folder = await tempFolder();
      const { vm, cache, services } = await setUp(folder.path, await parentOf(folder.path, make));
      await assert.rejects(ensureRootDisk(vm, rootfs(), services, signal), {
        code: "IMAGE_INVALID",
        message: why,
      });
      await assert.rejects(stat(vm.rootfs));
      assert.equal(cache.released, 1);
      await rm("/tmp/twentysix-data.raw", { force: true });
    });
  }

  test("never takes a raw parent for something else: a damaged head of qcow2 is refused", async () => {
    await using folder = await tempFolder();
    const parent = join(folder.path, "parent.img");
    await writeFile(parent, Buffer.concat([Buffer.from("QFI\xfb\0\0\0\x09", "latin1"), Buffer.alloc(4096)]));
    const { vm, services } = await setUp(folder.path, parent);
    await assert.rejects(ensureRootDisk(vm, rootfs(), services, signal), { code: "IMAGE_INVALID" });
  });
});

describe("what the disks of an instance stand on", () => {
  test("goes when they are made anew of something else", async () => {
    await using folder = await tempFolder();
    const parent = await parentOf(folder.path, ["-f", "raw", "PATH", "8M"]);
    const { vm, services } = await setUp(folder.path, parent);
    const parts: Partial<InstanceServices> = { ...services, computeDir: folder.path };
    const runner = new InstanceRunner(parts as InstanceServices);
    const volume = { comment: null, mount: null, ref: "cd".repeat(32), use_latest: true };
    const { content } = instanceMessage("a", { rootfs: rootfs(), volumes: [volume] });
    const execution = { vmHash: HASH, content, resolved: content } as Execution;
    const images = async () => (await readdir(vm.path)).filter((name) => name.endsWith(".img")).sort();
    await runner.prepare(execution, signal);
    const first = await images();
    assert.equal(first.length, 2, "a parent, and an immutable volume");
    for (const text of ["one", "two", "three"]) {
      const other = join(folder.path, text);
      await copyFile(parent, other);
      await writeFile(other, text, { flag: "r+" });
      await rename(other, parent);
      await runner.wipe(execution, { erasesVolumes: true });
      await runner.prepare(execution, signal);
    }
    const last = await images();
    assert.equal(last.length, 2);
    assert.notDeepEqual(last, first);
  });
});

describe("how fast the disks of a machine are", () => {
  for (const [vcpus, perVcpu, rate] of [
    [1, 1_000_000, 1_000_000],
    [4, 1_000_000, 4_000_000],
    [4, null, null],
  ] as const) {
    test(`follows from its processors: ${vcpus} at ${perVcpu} give ${rate}`, async () => {
      await using folder = await tempFolder();
      const parent = await parentOf(folder.path, ["-f", "raw", "PATH", "8M"]);
      const { services } = await setUp(folder.path, parent);
      const specs: VmSpec[] = [];
      const parts: Partial<Record<keyof InstanceServices, unknown>> = {
        ...services,
        computeDir: folder.path,
        hypervisor: { start: async (spec: VmSpec) => specs.push(spec) },
        networks: { create: async () => ({ spec: { kind: "user" } }) },
        ports: { assign: async () => [] },
        wantedPorts: async () => [],
        settings: {
          ...{ dnsServers: [], developerKeys: [], shutDownMs: 1_000, leaseMs: null },
          diskBytesPerSecondPerVcpu: perVcpu,
        },
      };
      const runner = new InstanceRunner(parts as unknown as InstanceServices);
      const { content: plain } = instanceMessage("a", { rootfs: rootfs() });
      const content = { ...plain, resources: { ...plain.resources, vcpus } };
      const execution = { vmHash: HASH, content, resolved: content, mode: "normal" } as Execution;
      await runner.prepare(execution, signal);
      await runner.start(execution, signal);
      assert.deepEqual(
        specs.map(({ limits }) => limits.diskBytesPerSecond),
        [rate],
      );
    });
  }
});

describe("what a restore or a rescue left that ended with its node", () => {
  for (const mode of ["normal", "rescue"] as const) {
    test(`goes with the next start, in ${mode} mode`, async () => {
      await using folder = await tempFolder();
      const parent = await parentOf(folder.path, ["-f", "raw", "PATH", "8M"]);
      const { vm, services } = await setUp(folder.path, parent);
      const parts: Partial<InstanceServices> = { ...services, computeDir: folder.path };
      const runner = new InstanceRunner(parts as InstanceServices);
      const { content } = instanceMessage("a", { rootfs: rootfs() });
      const execution = { vmHash: HASH, content, resolved: content, mode } as Execution;
      for (const path of [vm.restoredRootfs, vm.rescueRootfs]) await writeFile(path, "some of it");
      await runner.prepare(execution, signal);
      assert.equal(await exists(vm.restoredRootfs), false);
      assert.equal(await exists(vm.rescueRootfs), mode === "rescue");
    });
  }
});

describe("the disks beside it", () => {
  const persistent = (name: string | null, change: object = {}): MachineVolume => ({
    comment: null,
    mount: null,
    parent: null,
    persistence: "host",
    name,
    size_mib: 8,
    ...change,
  });

  test("are made once, in the order of the message; those that are ephemeral are fresh at every start", async () => {
    await using folder = await tempFolder();
    const { vm, services } = await setUp(
      folder.path,
      await parentOf(folder.path, ["-f", "raw", "PATH", "1M"]),
    );
    const volumes: readonly MachineVolume[] = [
      persistent("data"),
      { comment: null, mount: null, ref: "cd".repeat(32), use_latest: true },
      { comment: null, mount: null, ephemeral: true, size_mib: 8 },
    ];
    const first = await ensureDataDisks(vm, volumes, services, signal);
    assert.deepEqual(
      first.map(({ isReadOnly }) => isReadOnly),
      [false, true, false],
    );
    const [kept, , fresh] = first;
    assert.ok(kept !== undefined && fresh !== undefined);
    await link(kept.path, `${kept.path}.same`);
    await writeFile(fresh.path, "what a guest wrote", { flag: "r+" });
    const second = await ensureDataDisks(vm, volumes, services, signal);
    assert.deepEqual(second, first);
    assert.equal((await stat(kept.path)).nlink, 2);
    assert.notEqual((await readFile(fresh.path)).subarray(0, 4).toString(), "what");
    await runTool("e2fsck", ["-fn", kept.path], { signal });
  });

  test("cannot leave the folder of their machine by their names", async () => {
    await using folder = await tempFolder();
    const { vm, services } = await setUp(
      folder.path,
      await parentOf(folder.path, ["-f", "raw", "PATH", "1M"]),
    );
    const drives = await ensureDataDisks(vm, [persistent("../../etc/evil,readonly=off")], services, signal);
    assert.ok(
      drives.every(
        ({ path }) => path.startsWith(`${vm.path}/`) && !path.slice(vm.path.length + 1).includes("/"),
      ),
    );
    assert.ok(drives.every(({ path }) => !path.includes(",")));
  });

  test("are refused when two would be one, or no node keeps them", async () => {
    await using folder = await tempFolder();
    const { vm, services } = await setUp(
      folder.path,
      await parentOf(folder.path, ["-f", "raw", "PATH", "1M"]),
    );
    const ensure = (...volumes: MachineVolume[]) => ensureDataDisks(vm, volumes, services, signal);
    await assert.rejects(ensure(persistent("a/b"), persistent("a_b")), { code: "VOLUME_INVALID" });
    await assert.rejects(ensure(persistent("a", { persistence: "store" })), { code: "VOLUME_INVALID" });
  });
});
