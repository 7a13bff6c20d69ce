import assert from "node:assert/strict";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import { createDeferred, createMemoryLogger, createSystemTimers } from "@twentysix/platform";
import type { PersistentVolume } from "@twentysix/protocol";
import type { ExportedFile, ImportJob } from "../../src/control/instance-services.ts";
import { ExecutionError } from "../../src/executions/errors.ts";
import { sha256OfFile } from "../../src/instances/disks/sha256-of-file.ts";
import { Imports } from "../../src/instances/migration/imports.ts";
import type { CoreNodeClient, VmMessage } from "../../src/messages/core-node-client.ts";
import { runTool } from "../../src/processes/run-tool.ts";
import { FakeHost } from "../support/fake-host.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { openTestExecutions } from "../support/test-executions.ts";
import { hashOf, instanceMessage } from "../support/vm-messages.ts";

const VM = hashOf("a");
const signal = AbortSignal.timeout(60_000);
const BY_OWNER = { source: "owner", isPersistent: true } as const;

/** Imports of a node, and a source that serves one small disk. */
async function setUp(message: VmMessage = instanceMessage("a")) {
  const folder = await tempFolder();
  const disk = join(folder.path, "disk.qcow2");
  await runTool("qemu-img", ["create", "-q", "-f", "qcow2", disk, "8M"], { signal });
  const served = { before: async (): Promise<void> => {} };
  const server = createServer(async (_request, response) => {
    await served.before();
    createReadStream(disk).pipe(response);
  });
  server.listen(0, "127.0.0.1");
  await new Promise((listening) => server.once("listening", listening));
  const host = new FakeHost();
  const { manager, time, fences } = openTestExecutions(host);
  const asked = { message: async (): Promise<VmMessage | null> => message };
  const services = {
    computeDir: folder.path,
    executions: manager,
    fences,
    messages: { vmMessage: () => asked.message() } as Partial<CoreNodeClient> as CoreNodeClient,
    allowsPrivateSources: true,
    clock: time.clock,
    timers: createSystemTimers(),
    log: createMemoryLogger(),
  };
  const imports = new Imports(services);
  const facts = { sizeBytes: (await stat(disk)).size, sha256: await sha256OfFile(disk, signal) };
  const files = (...names: string[]): ExportedFile[] =>
    names.map((name) => ({ ...facts, name, downloadPath: `/control/machine/${VM}/migration/disk/${name}` }));
  return {
    ...{ host, manager, time, fences, imports, asked, served, message },
    /** As a node does that was started again. */
    async recovered(): Promise<Imports> {
      const again = new Imports(services);
      await again.recover();
      return again;
    },
    start: (...names: string[]) =>
      imports.start({
        vmHash: VM,
        sourceHost: "127.0.0.1",
        sourcePort: (server.address() as AddressInfo).port,
        exportToken: "token",
        diskFiles: files(...(names.length === 0 ? ["rootfs.qcow2"] : names)),
      }),
    async ended(): Promise<ImportJob> {
      while (imports.job(VM)?.state === "importing") await new Promise((next) => setImmediate(next));
      const job = imports.job(VM);
      assert.ok(job !== null);
      return job;
    },
    async [Symbol.asyncDispose]() {
      await imports.close();
      server.closeAllConnections();
      server.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

describe("a machine that comes from another node", () => {
  test("arrives once, however often it is asked for", async () => {
    await using node = await setUp();
    const started = await Promise.all([node.start(), node.start(), node.start()]);
    assert.equal(started.filter(({ isNew }) => isNew).length, 1);
    assert.equal((await node.ended()).state, "imported");
    assert.equal((await node.start()).isNew, false);
    assert.equal(node.manager.get(VM)?.state, "running");
    assert.deepEqual(node.host.violations, []);
    const maxSilenceMs = node.fences.maxSilenceMs(VM) ?? Number.POSITIVE_INFINITY;
    assert.ok(maxSilenceMs < 1_800_000, "it ends here before its source may run it again");
  });

  test("is told of as here by a node that was started again, once all of it had come", async () => {
    await using node = await setUp();
    await node.start();
    await node.ended();
    const again = await node.recovered();
    assert.equal(again.job(VM)?.state, "imported", "or its source would be started once more");
    await node.manager.erase(VM, null, signal);
    assert.equal((await node.recovered()).job(VM), null);
  });

  test("is told of as not here by a node that ended in the middle, and may be sent again", async () => {
    await using node = await setUp();
    await node.manager.defineImport(node.message, BY_OWNER);
    const again = await node.recovered();
    const job = again.job(VM);
    assert.deepEqual([job?.state, job?.error], ["import_failed", "the node ended during the import"]);
    assert.equal(node.manager.get(VM), null);
    assert.equal((await node.start()).isNew, true);
    assert.equal((await node.ended()).state, "imported");
  });

  test("may come back after it has moved on: what was imported once is not here for ever", async () => {
    await using node = await setUp();
    await node.start();
    await node.ended();
    await node.manager.erase(VM, null, signal);
    assert.equal(node.imports.job(VM), null, "whoever asks must not take it for here");
    assert.equal((await node.start()).isNew, true);
    assert.equal((await node.ended()).state, "imported");
  });

  test("never takes the place of one that was started here meanwhile", async () => {
    await using node = await setUp();
    const answer = createDeferred<VmMessage | null>();
    node.asked.message = () => answer.promise;
    await node.start();
    await node.manager.ensureRunning(node.message, BY_OWNER, signal);
    answer.resolve(node.message);
    const { state, error } = await node.ended();
    assert.deepEqual([state, error], ["import_failed", "VM already running on this host"]);
    assert.equal(node.manager.get(VM)?.state, "running");
    assert.ok(node.host.disks.has(VM), "its disks stay");
  });

  test("that is erased on its way leaves alone what is started anew", async () => {
    await using node = await setUp();
    const [reached, goOn] = [createDeferred<void>(), createDeferred<void>()];
    node.served.before = async () => {
      reached.resolve();
      await goOn.promise;
    };
    await node.start();
    await reached.promise;
    await node.manager.erase(VM, null, signal);
    const start = () => node.manager.ensureRunning(node.message, BY_OWNER, signal);
    // What was left of it may still be on its way out.
    while ((await start().catch(({ code }) => code)) === "BUSY")
      await new Promise((next) => setImmediate(next));
    goOn.resolve();
    assert.equal((await node.ended()).state, "import_failed");
    const { state, source } = node.manager.get(VM) ?? {};
    assert.deepEqual([state, source], ["running", "owner"]);
    assert.ok(node.host.disks.has(VM), "its disks stay");
  });

  test("is given up when it cannot be had, also when that is not possible at once", async () => {
    await using node = await setUp();
    node.host.before = async (step) => {
      if (step === "prepare") throw new ExecutionError("IMAGE_INVALID", "no such parent");
      if (step === "erase") throw new ExecutionError("HYPERVISOR_FAILED", "the disk is busy");
    };
    await node.start();
    const { state, error } = await node.ended();
    assert.deepEqual([state, error], ["import_failed", "no such parent"]);
    assert.equal(node.manager.get(VM)?.desired, "gone");
    node.host.before = async () => {};
    await node.time.advance(60_000);
    while (node.manager.get(VM) !== null) await new Promise((next) => setImmediate(next));
  });

  test("is refused without all of its disks: its source would be told to remove them", async () => {
    await using node = await setUp(instanceMessage("a", { volumes: [volumeOf(8)] }));
    await node.start();
    const { state, error } = await node.ended();
    assert.deepEqual([state, error], ["import_failed", "the source does not send data.qcow2"]);
    assert.equal(node.manager.get(VM), null);
    await node.start("rootfs.qcow2", "data.qcow2");
    assert.equal((await node.ended()).state, "imported");
  });

  test("is refused with a disk that is larger than its message says", async () => {
    await using node = await setUp(instanceMessage("a", { volumes: [volumeOf(7)] }));
    await node.start("rootfs.qcow2", "data.qcow2");
    const { state, error } = await node.ended();
    assert.deepEqual([state, error], ["import_failed", "data.qcow2 is larger than its message says"]);
    assert.equal(node.manager.get(VM), null);
  });
});

const volumeOf = (sizeMib: number): PersistentVolume => ({
  persistence: "host",
  name: "data",
  parent: null,
  size_mib: sizeMib,
  mount: "/d",
  comment: null,
});
