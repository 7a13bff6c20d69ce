import assert from "node:assert/strict";
import { watch } from "node:fs";
import { mkdir, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { createDeferred, createMemoryLogger, raceAbort } from "@twentysix/platform";
import { ExecutionError } from "../../src/executions/errors.ts";
import { sha256OfFile } from "../../src/instances/disks/sha256-of-file.ts";
import { vmFolder } from "../../src/instances/disks/vm-folder.ts";
import { Restores } from "../../src/instances/restore/restore-service.ts";
import { runTool } from "../../src/processes/run-tool.ts";
import { exists } from "../../src/volumes/file-exists.ts";
import { FakeHost } from "../support/fake-host.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { openTestExecutions } from "../support/test-executions.ts";
import { hashOf, instanceMessage } from "../support/vm-messages.ts";

const VM = hashOf("a");
const VOLUME = hashOf("volume");
const signal = AbortSignal.timeout(60_000);

/** A machine that runs on a disk of 8 MiB, and an image of 4 MiB that its owner may put in place of it. */
async function setUp() {
  const temp = await tempFolder();
  const folder = vmFolder(temp.path, VM);
  await mkdir(folder.path, { recursive: true });
  await runTool("qemu-img", ["create", "-q", "-f", "qcow2", folder.rootfs, "8M"], { signal });
  const imageOf = async (name: string): Promise<string> => {
    const path = join(temp.path, `${name}.qcow2`);
    if (await exists(path)) return path;
    await runTool("qemu-img", ["create", "-q", "-f", "qcow2", path, "4M"], { signal });
    await runTool("qemu-io", ["-c", `write -P ${name.charCodeAt(0)} 0 3M`, path], { signal });
    return path;
  };
  const host = new FakeHost();
  const disk = { freeMib: 50_000 };
  const free = () => disk.freeMib;
  const { manager, time, admission } = openTestExecutions(host, undefined, undefined, undefined, free);
  const execution = await manager.ensureRunning(
    instanceMessage("a"),
    { source: "owner", isPersistent: true },
    signal,
  );
  const restores = new Restores({
    computeDir: temp.path,
    executions: manager,
    room: admission.claims,
    clock: time.clock,
    log: createMemoryLogger(),
    maxParentBytes: 1e9,
    cache: {
      async acquire(storeHash) {
        const path = await imageOf(storeHash);
        const { size: sizeBytes } = await stat(path);
        return { path, sizeBytes, sha256: await sha256OfFile(path, signal), release: () => {} };
      },
    },
  });
  const upload = async function* () {
    yield await readFile(await imageOf("upload"));
  };
  return {
    ...{ folder, disk, host, manager, time },
    inode: async () => (await stat(folder.rootfs)).ino,
    upload: (client = signal) => restores.restore(execution, { kind: "upload", bytes: upload() }, client),
    volume: (storeHash = VOLUME) => restores.restore(execution, { kind: "volume", storeHash }, signal),
    parents: async () => (await readdir(folder.path)).filter((name) => name.startsWith("parent-")),
    [Symbol.asyncDispose]: () => temp[Symbol.asyncDispose](),
  };
}

describe("another root file system", () => {
  test("takes the place of the old one, which is kept once", async () => {
    await using node = await setUp();
    const before = await node.inode();
    const { oldRootfsBackup } = await node.upload();
    assert.equal((await stat(join(node.folder.path, oldRootfsBackup ?? ""))).ino, before);
    assert.notEqual(await node.inode(), before);
    assert.equal(node.manager.get(VM)?.state, "running");
    const again = await node.upload();
    assert.ok((await stat(join(node.folder.path, again.oldRootfsBackup ?? ""))).isFile());
    await node.time.advance(5_000);
    await node.volume();
    await assert.rejects(stat(join(node.folder.path, oldRootfsBackup ?? "")), { code: "ENOENT" });
  });

  test("stays with what it stands on alone: images that were tried before take no room", async () => {
    await using node = await setUp();
    for (const name of ["b", "c", "d", "e"]) {
      await node.volume(hashOf(name));
      await node.time.advance(5_000);
    }
    assert.equal((await node.parents()).length, 2, "of the one in place and of the one that is kept");
  });

  test("is there at every moment: a crash finds the old one or the new one", async () => {
    await using node = await setUp();
    const seen: string[] = [];
    const watcher = watch(node.folder.path, (event, name) => seen.push(`${event} ${name}`));
    await node.upload();
    while (!seen.includes("rename rootfs.qcow2")) await new Promise((next) => setImmediate(next));
    watcher.close();
    assert.equal(
      seen.filter((event) => event === "rename rootfs.qcow2").length,
      1,
      "it is replaced in one step",
    );
  });

  test("never takes the room that machines were promised", async () => {
    await using node = await setUp();
    const before = await node.inode();
    node.disk.freeMib = 1_026;
    await assert.rejects(node.upload(), { code: "NO_ROOM" });
    await runTool("qemu-io", ["-c", "write -P 1 0 4M", node.folder.rootfs], { signal });
    await assert.rejects(
      node.volume(),
      { code: "NO_ROOM" },
      "the old disk is kept, and the new one may grow",
    );
    assert.deepEqual([node.manager.get(VM)?.state, await node.inode()], ["running", before]);
    node.disk.freeMib = 1_100;
    await node.upload();
  });

  test("is started also when its owner's connection ends during the restart", async () => {
    await using node = await setUp();
    const before = await node.inode();
    const [reached, goOn] = [createDeferred<void>(), createDeferred<void>()];
    node.host.before = async (step, _vmHash, starting) => {
      if (step !== "start") return;
      reached.resolve();
      await raceAbort(goOn.promise, starting);
    };
    const client = new AbortController();
    const restored = node.upload(client.signal);
    await reached.promise;
    client.abort(new Error("the client has gone"));
    goOn.resolve();
    await restored;
    assert.equal(node.manager.get(VM)?.state, "running");
    assert.notEqual(await node.inode(), before);
  });

  test("gives way to the old one, which is started, when the machine does not start with it", async () => {
    await using node = await setUp();
    const before = await node.inode();
    let starts = 0;
    node.host.before = async (step) => {
      if (step !== "start") return;
      starts += 1;
      if (starts === 1) throw new ExecutionError("HYPERVISOR_FAILED", "no such firmware");
    };
    await assert.rejects(node.upload(), /no such firmware/);
    assert.equal(node.manager.get(VM)?.state, "running");
    assert.equal(await node.inode(), before);
  });
});
