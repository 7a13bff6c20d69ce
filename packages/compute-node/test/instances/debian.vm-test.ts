import assert from "node:assert/strict";
import { createReadStream, existsSync, readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Execution } from "../../src/executions/execution.ts";
import { debianDisk } from "../../src/images/build/instance-disk.ts";
import type { VmMessage } from "../../src/messages/core-node-client.ts";
import { runTool } from "../../src/processes/run-tool.ts";
import { buildOptions, IMAGES_FOLDER } from "../images/support.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { hashOf, instanceMessage } from "../support/vm-messages.ts";
import { type InstanceNode, startInstanceNode } from "./support/instance-node.ts";
import { serveDisks } from "./support/serve-disks.ts";
import { createSshKey, type SshKey, type SshTarget, ssh, sshOnceUp } from "./support/ssh.ts";

const PARENT = hashOf("debian12");
const WEB = { guestPort: 8_000, tcp: true, udp: false };
const OWNER = { source: "owner", isPersistent: true } as const;

/** Each boot takes most of a minute under emulation: `npm run test:vm` runs all of it. */
const isShort = process.env.TWENTYSIX_TEST_VM === "short";

/** Everything that an owner does with an instance of Debian, in the order in which one would. */
describe("an instance of Debian", { timeout: 1_500_000 }, () => {
  const signal = AbortSignal.timeout(1_400_000);
  let folder: Awaited<ReturnType<typeof tempFolder>>;
  let node: InstanceNode;
  let other: InstanceNode;
  let key: SshKey;
  let message: VmMessage;

  before(async () => {
    folder = await tempFolder();
    key = await createSshKey(folder.path, signal);
    const { qcow2Path } = await debianDisk(IMAGES_FOLDER, buildOptions(signal));
    const files = new Map([[PARENT, qcow2Path]]);
    node = await startInstanceNode({ network: "user", files, ports: [WEB], index: 0 });
    other = await startInstanceNode({ network: "user", files, ports: [WEB], index: 1 });
    message = instanceMessage("debian", {
      authorized_keys: [key.publicKey],
      resources: { vcpus: 1, memory: 512, seconds: 30, published_ports: null },
      rootfs: {
        parent: { ref: PARENT, use_latest: true },
        persistence: "host",
        size_mib: 4_096,
        forgotten_by: null,
      },
    });
    node.messages.set(message.itemHash, message);
    other.messages.set(message.itemHash, message);
  });
  after(async () => {
    await node[Symbol.asyncDispose]();
    await other[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  const execution = (at = node): Execution => {
    const found = at.executions.manager.get(message.itemHash);
    assert.ok(found !== null);
    return found;
  };
  const hostPort = (guestPort: number, at = node): number => {
    const mapped = at.executions.manager.ports(message.itemHash).find((port) => port.guestPort === guestPort);
    assert.ok(mapped !== undefined, `port ${guestPort} is not forwarded`);
    return mapped.hostPort;
  };
  const target = (at = node): SshTarget => ({ host: "127.0.0.1", port: hostPort(22, at), key });

  test("boots, lets its owner in by ssh, and has the size that was asked for", async () => {
    await node.executions.manager.ensureRunning(message, OWNER, signal);
    const name = await sshOnceUp(target(), "hostname", signal);
    assert.match(name.trim(), /^[a-z2-7]{52}$/);
    const sizeMib = Number(await ssh(target(), "df -BM --output=size / | tail -1 | tr -dc 0-9"));
    assert.ok(sizeMib > 3_500, `${sizeMib} MiB`);
    await ssh(target(), "echo kept > /root/file; sync");
  });

  test("a port of the host leads to a web server inside", async () => {
    await ssh(target(), "cd /root && (setsid python3 -m http.server 8000 >/dev/null 2>&1 &) ; sleep 1");
    for (;;) {
      const answer = await fetch(`http://127.0.0.1:${hostPort(8_000)}/file`).catch(() => null);
      if (answer !== null) {
        assert.equal((await answer.text()).trim(), "kept");
        return;
      }
      signal.throwIfAborted();
      await sleep(500);
    }
  });

  test("what it says on its console is kept", async () => {
    const vm = node.executions.manager.running(message.itemHash);
    assert.ok(vm !== null);
    const said = await readFile(join(vm.runDir, "serial.log"), "utf8");
    assert.match(said, /Linux version|login:/);
    assert.doesNotMatch(said, /\[WARNING\]|Invalid cloud-config/);
  });

  test("a node that takes over finds it running, with its ports", async () => {
    const pid = node.executions.manager.running(message.itemHash)?.pid;
    const { dir } = node;
    await node.abandon();
    const { qcow2Path } = await debianDisk(IMAGES_FOLDER, buildOptions(signal));
    const port = { network: "user", files: new Map([[PARENT, qcow2Path]]), ports: [WEB], index: 0 } as const;
    node = await startInstanceNode(port, dir);
    node.messages.set(message.itemHash, message);
    assert.equal(execution().state, "running");
    assert.equal(node.executions.manager.running(message.itemHash)?.pid, pid);
    assert.equal((await sshOnceUp(target(), "cat /root/file", signal)).trim(), "kept");
  });

  test("stopped and started, it has the disk that it had", async () => {
    await node.executions.manager.stop(message.itemHash, null, signal);
    assert.deepEqual(await node.hypervisor.list(signal), []);
    await node.executions.manager.ensureRunning(message, OWNER, signal);
    assert.equal((await sshOnceUp(target(), "cat /root/file", signal)).trim(), "kept");
  });

  test("a backup brings back what was there when it was made", { skip: isShort }, async () => {
    assert.deepEqual(
      await node.backups.create(execution(), { includesVolumes: true, skipsFreeze: false }, signal),
      { state: "in_progress" },
    );
    let state = await node.backups.status(message.itemHash);
    while (state?.state === "in_progress") {
      await sleep(500);
      state = await node.backups.status(message.itemHash);
    }
    assert.ok(state?.state === "done", JSON.stringify(state));
    const { backupId, volumes } = state.backup;
    assert.deepEqual(volumes, ["rootfs.qcow2"]);
    const found = await node.backups.find(message.itemHash, backupId);
    assert.ok(found !== null);
    await runTool("tar", ["-xf", found.path, "-C", folder.path], { signal });

    await ssh(target(), "echo lost > /root/file; sync");
    const bytes = createReadStream(join(folder.path, "rootfs.qcow2"));
    await node.restores.restore(execution(), { kind: "upload", bytes }, signal);
    assert.equal((await sshOnceUp(target(), "cat /root/file", signal)).trim(), "kept");
  });

  test("moves to another node with all that is on its disk", { skip: isShort }, async () => {
    await ssh(target(), "echo moved > /root/file; sync");
    await node.migrations.startExport(execution(), signal);
    while (node.migrations.exportJob(message.itemHash)?.state === "exporting") await sleep(500);
    const job = node.migrations.exportJob(message.itemHash);
    assert.ok(job?.state === "exported", JSON.stringify(job));
    await assert.rejects(node.executions.manager.ensureRunning(message, OWNER, signal), { code: "BUSY" });
    await using source = await serveDisks(node, job.vmHash);
    await other.migrations.startImport(
      {
        vmHash: job.vmHash,
        sourceHost: "127.0.0.1",
        sourcePort: source.port,
        exportToken: job.exportToken ?? "",
        diskFiles: job.diskFiles ?? [],
      },
      signal,
    );
    while (other.migrations.importJob(job.vmHash)?.state === "importing") await sleep(500);
    assert.equal(
      other.migrations.importJob(job.vmHash)?.state,
      "imported",
      other.migrations.importJob(job.vmHash)?.error ?? "",
    );
    assert.equal((await sshOnceUp(target(other), "cat /root/file", signal)).trim(), "moved");
    await node.migrations.cleanUp(job.vmHash, signal);
    assert.deepEqual(tracesOf(node), []);
  });

  test("leaves no trace when it is erased", async () => {
    const last = other.executions.manager.get(message.itemHash) === null ? node : other;
    await last.executions.manager.erase(message.itemHash, null, signal);
    assert.deepEqual(tracesOf(last), []);
    assert.deepEqual(await last.hypervisor.list(signal), []);
  });

  function tracesOf({ dir }: InstanceNode): readonly string[] {
    return ["vms", "run", "backups"].flatMap((name) =>
      existsSync(join(dir, name)) ? readdirSync(join(dir, name)).map((entry) => `${name}/${entry}`) : [],
    );
  }
});
