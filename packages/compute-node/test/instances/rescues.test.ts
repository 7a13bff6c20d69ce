import assert from "node:assert/strict";
import { mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { createDeferred, createMemoryLogger, raceAbort } from "@twentysix/platform";
import { ExecutionError } from "../../src/executions/errors.ts";
import { sha256OfFile } from "../../src/instances/disks/sha256-of-file.ts";
import { vmFolder } from "../../src/instances/disks/vm-folder.ts";
import { Rescues } from "../../src/instances/rescue/rescue-service.ts";
import { runTool } from "../../src/processes/run-tool.ts";
import { exists } from "../../src/volumes/file-exists.ts";
import { FakeHost } from "../support/fake-host.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { openTestExecutions } from "../support/test-executions.ts";
import { hashOf, instanceMessage } from "../support/vm-messages.ts";

const VM = hashOf("a");
const signal = AbortSignal.timeout(60_000);

/** A machine that runs, and is promised 1,024 MiB; and an image for its rescue. */
async function setUp() {
  const temp = await tempFolder();
  const folder = vmFolder(temp.path, VM);
  await mkdir(folder.path, { recursive: true });
  const image = join(temp.path, "rescue.qcow2");
  await runTool("qemu-img", ["create", "-q", "-f", "qcow2", image, "4M"], { signal });
  const host = new FakeHost();
  const disk = { freeMib: 50_000 };
  const free = () => disk.freeMib;
  const { manager, admission } = openTestExecutions(host, undefined, undefined, undefined, free);
  const by = { source: "owner", isPersistent: true } as const;
  await manager.ensureRunning(instanceMessage("a"), by, signal);
  const rescues = new Rescues({
    computeDir: temp.path,
    executions: manager,
    room: admission.claims,
    defaultImage: async () => hashOf("rescue"),
    log: createMemoryLogger(),
    maxParentBytes: 1e9,
    cache: {
      async acquire() {
        const { size: sizeBytes } = await stat(image);
        return { path: image, sizeBytes, sha256: await sha256OfFile(image, signal), release: () => {} };
      },
    },
  });
  const machine = () => {
    const execution = manager.get(VM);
    assert.ok(execution !== null);
    return execution;
  };
  return {
    ...{ folder, host, disk, admission, rescues, machine },
    enter: () => rescues.enter(machine(), null, signal),
    async entered(): Promise<void> {
      while (rescues.status(VM)?.state === "in_progress") await new Promise((next) => setImmediate(next));
    },
    async [Symbol.asyncDispose]() {
      await rescues.close();
      await temp[Symbol.asyncDispose]();
    },
  };
}

describe("a rescue", () => {
  test("never takes the room that machines were promised, and is promised its own", async () => {
    await using node = await setUp();
    node.disk.freeMib = 11_263;
    await assert.rejects(node.enter(), { code: "NO_ROOM" });
    assert.equal(node.rescues.status(VM), null);
    node.disk.freeMib = 11_300;
    await node.enter();
    await node.entered();
    assert.equal(node.machine().mode, "rescue");
    await node.admission.measure();
    assert.equal(node.admission.headRoom().diskMib, 11_300 - 1_024 - 10_240);
    await node.rescues.leave(node.machine(), signal);
    assert.equal(node.admission.headRoom().diskMib, 11_300 - 1_024);
  });

  test("is entered once, however often it is asked for at once", async () => {
    await using node = await setUp();
    const asked = await Promise.allSettled([node.enter(), node.enter()]);
    assert.deepEqual(
      asked.map(({ status }) => status),
      ["fulfilled", "rejected"],
    );
    await node.entered();
    assert.equal(node.rescues.status(VM)?.state, "rescue");
  });

  test("that does not boot gives the machine back as it was", async () => {
    await using node = await setUp();
    let starts = 0;
    node.host.before = async (step) => {
      if (step !== "start") return;
      starts += 1;
      if (starts === 1) throw new ExecutionError("HYPERVISOR_FAILED", "no such firmware");
    };
    await node.enter();
    await node.entered();
    assert.deepEqual(node.rescues.status(VM), { state: "failed", reason: "no such firmware" });
    assert.deepEqual([node.machine().state, node.machine().mode], ["running", "normal"]);
    assert.equal(await exists(node.folder.rescueRootfs), false);
  });

  test("ends with the machine running, also when its owner's connection ends meanwhile", async () => {
    await using node = await setUp();
    await node.enter();
    await node.entered();
    const [reached, goOn] = [createDeferred<void>(), createDeferred<void>()];
    node.host.before = async (step, _vmHash, starting) => {
      if (step !== "start") return;
      reached.resolve();
      await raceAbort(goOn.promise, starting);
    };
    const client = new AbortController();
    const left = node.rescues.leave(node.machine(), client.signal);
    await reached.promise;
    client.abort(new Error("the client has gone"));
    goOn.resolve();
    await left;
    assert.deepEqual([node.machine().state, node.machine().mode], ["running", "normal"]);
  });
});
