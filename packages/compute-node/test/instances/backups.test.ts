import assert from "node:assert/strict";
import { mkdir, readdir } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, test } from "node:test";
import { createDeferred, createMemoryLogger, createSeededRandom } from "@twentysix/platform";
import { Backups } from "../../src/instances/backups/backup-service.ts";
import { vmFolder } from "../../src/instances/disks/vm-folder.ts";
import { runTool } from "../../src/processes/run-tool.ts";
import { FakeHost } from "../support/fake-host.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { openTestExecutions } from "../support/test-executions.ts";
import { hashOf, instanceMessage } from "../support/vm-messages.ts";

const VM = hashOf("a");
const signal = AbortSignal.timeout(60_000);
const OPTIONS = { includesVolumes: false, skipsFreeze: true };

/** Nodes, one after the other, over one folder with a machine that runs. */
async function setUp() {
  const folder = await tempFolder();
  const disks = vmFolder(folder.path, VM);
  await mkdir(disks.path, { recursive: true });
  await runTool("qemu-img", ["create", "-q", "-f", "qcow2", disks.rootfs, "8M"], { signal });
  const backupDir = join(folder.path, "backups");
  const host = new FakeHost();
  /** Its machine is promised 1,024 MiB of it. */
  const disk = { freeMib: 50_000 };
  const opened: Backups[] = [];
  const open = async () => {
    const { manager, time, contact, admission, reconcile } = openTestExecutions(
      ...([host, join(folder.path, "executions"), undefined, undefined, () => disk.freeMib] as const),
    );
    contact.note("core-node");
    await reconcile(signal);
    const backups = new Backups({
      ...{ computeDir: folder.path, backupDir, executions: manager, clock: time.clock, timers: time.timers },
      room: admission.claims,
      ...{ random: createSeededRandom(1), log: createMemoryLogger() },
    });
    await backups.start();
    opened.push(backups);
    return { manager, time, backups };
  };
  const node = await open();
  const by = { source: "owner", isPersistent: true } as const;
  const execution = await node.manager.ensureRunning(instanceMessage("a"), by, signal);
  return {
    ...{ ...node, folder, disks, disk, backupDir, host, execution, open },
    async made(): Promise<void> {
      while ((await node.backups.status(VM))?.state === "in_progress") {
        await new Promise((next) => setImmediate(next));
      }
    },
    async [Symbol.asyncDispose]() {
      for (const backups of opened) await backups.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** What a guest agent says; it never says that it has frozen its guest. */
async function silentAgent(folder: string) {
  const frozen = createDeferred<void>();
  let hasThawed = false;
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => undefined);
    createInterface(socket).on("line", (line) => {
      const { execute, arguments: given } = JSON.parse(line);
      if (execute === "guest-fsfreeze-freeze") return frozen.resolve();
      if (execute === "guest-fsfreeze-thaw") hasThawed = true;
      socket.write(`${JSON.stringify({ return: execute === "guest-sync" ? given.id : {} })}\n`);
    });
  });
  await new Promise<void>((listening) => server.listen(join(folder, "qga.sock"), listening));
  const close = (): void => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return { frozen, hasThawed: () => hasThawed, close };
}

describe("backups of a machine", () => {
  test("go when their time is over, whether or not anybody makes another one", async () => {
    await using node = await setUp();
    await node.backups.create(node.execution, OPTIONS, signal);
    await node.made();
    assert.equal((await node.backups.status(VM))?.state, "done");
    assert.notDeepEqual(await readdir(node.backupDir), []);
    await node.time.advance(25 * 3_600_000);
    while ((await readdir(node.backupDir)).length > 0) await new Promise((next) => setImmediate(next));
  });

  test("are one when they are asked for at once", async () => {
    await using node = await setUp();
    const asked = Array.from({ length: 5 }, () => node.backups.create(node.execution, OPTIONS, signal));
    for (const state of await Promise.all(asked)) assert.equal(state.state, "in_progress");
    await node.made();
    assert.equal((await node.backups.status(VM))?.state, "done");
  });

  test("never take the room that machines were promised", async () => {
    await using node = await setUp();
    await runTool("qemu-io", ["-c", "write -P 1 0 4M", node.disks.rootfs], { signal });
    node.disk.freeMib = 1_030;
    const refused = node.backups.create(node.execution, OPTIONS, signal);
    await assert.rejects(refused, { code: "NO_ROOM" });
    assert.deepEqual(await readdir(node.backupDir), []);
    node.disk.freeMib = 1_040;
    assert.deepEqual(await node.backups.create(node.execution, OPTIONS, signal), { state: "in_progress" });
    await node.made();
    assert.equal((await node.backups.status(VM))?.state, "done");
  });

  test("leave no guest frozen: one whose node died meanwhile writes again when the node is back", async () => {
    await using node = await setUp();
    const agent = await silentAgent(node.folder.path);
    const vm = node.host.processes.get(VM);
    assert.ok(vm !== undefined);
    vm.runDir = node.folder.path;
    await node.backups.create(node.execution, { ...OPTIONS, skipsFreeze: false }, signal);
    await agent.frozen.promise;
    const { time } = await node.open();
    // It asks again while the machine is in other work.
    while (!agent.hasThawed()) {
      await time.advance(2_000);
      await new Promise((next) => setImmediate(next));
    }
    agent.close();
  });
});
