import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, describe, test } from "node:test";
import { createSystemTimers } from "@twentysix/platform";
import { createCgroupPart } from "../../src/helper/cgroups.ts";
import type { HostMachine, HostPart } from "../../src/helper/host-parts.ts";

const timers = createSystemTimers();
const signal = () => AbortSignal.timeout(30_000);
const vmHash = "ab".repeat(32);
const networkId = `t${process.pid.toString(16)}`;

const machine = (pid: number, memoryMib: number, maxProcesses: number) =>
  ({
    vmHash,
    vmNumber: 3,
    pid,
    userId: null,
    spec: {
      vcpus: 2,
      memoryMib,
      drives: [],
      limits: { overheadMib: 16, maxProcesses, diskBytesPerSecond: null },
    },
  }) as unknown as HostMachine;

/** Waits for a word, as a machine's process does, and then does something bad. */
async function waiting(script: string): Promise<ChildProcess> {
  const child = spawn("sh", ["-c", `read word; ${script}`], { stdio: ["pipe", "pipe", "ignore"] });
  await once(child, "spawn");
  return child;
}

const part = await createCgroupPart({ networkId, prefix: "aleph-test", timers });
const canLimit = part.missing["memory-limit"] === undefined && part.missing["pids-limit"] === undefined;
const skip = canLimit ? false : `this host has no limits for processes: ${JSON.stringify(part.missing)}`;

describe("limits of the process of a machine", { skip }, () => {
  after(() => part.detach(machine(0, 0, 0)));

  test("a fork bomb stays within its number of processes, and ends with its machine", async () => {
    const bomb = await waiting("while :; do sleep 60 & done");
    await part.attach(machine(bomb.pid ?? 0, 64, 10), signal());
    bomb.stdin?.end("go\n");
    const exited = once(bomb, "exit");
    // The shell ends once it may start nothing more; what it started is still there.
    await exited;
    const [group] = (await part.inventory(signal())).filter(
      ({ name }) => name.includes("pids") || isVersion2(part),
    );
    assert.ok(group);
    const pids = readFileSync(join(group.name, "cgroup.procs"), "utf8").trim().split("\n").map(Number);
    assert.ok(pids.length > 0 && pids.length <= 10, `${pids.length} processes`);
    assert.deepEqual([group.vmHash, group.vmNumber, group.kind], [vmHash, 3, "cgroup"]);
    await part.detach(machine(0, 0, 0));
    assert.deepEqual(await part.inventory(signal()), []);
    for (const pid of pids) assert.equal(isRunning(pid), false);
    // Not even the group of all machines is left.
    assert.equal(existsSync(dirname(group.name)), false);
  });

  test("a memory bomb is ended by the kernel, and nothing else is", async () => {
    const bomb = await waiting(
      `exec '${process.execPath}' -e 'const a = []; for (;;) a.push(Buffer.alloc(1e6, 1))'`,
    );
    const neighbour = spawn("sleep", ["60"]);
    await part.attach(machine(bomb.pid ?? 0, 128, 64), signal());
    const exited = once(bomb, "exit");
    bomb.stdin?.end("go\n");
    assert.deepEqual(await exited, [null, "SIGKILL"]);
    const details = (await part.inventory(signal())).map(({ detail }) => detail).join("\n");
    assert.match(details, /oom_kill 1/);
    assert.equal(neighbour.exitCode, null);
    neighbour.kill();
    await part.detach(machine(0, 0, 0));
  });

  test("a helper that starts anew removes groups that are empty, and keeps the others", async () => {
    const process_ = await waiting("exec sleep 60");
    await part.attach(machine(process_.pid ?? 0, 64, 10), signal());
    const again = await createCgroupPart({ networkId, prefix: "aleph-test", timers });
    assert.equal((await again.inventory(signal())).length > 0, true);
    const exited = once(process_, "exit");
    process_.kill("SIGKILL");
    await exited;
    const third = await createCgroupPart({ networkId, prefix: "aleph-test", timers });
    assert.deepEqual(await third.inventory(signal()), []);
  });
});

describe("control groups of version 2", () => {
  test("get what the machine may take, as far as the host passes its controllers on", async () => {
    const folder = await mkdtemp(join(tmpdir(), "cgroups-"));
    const mountsFile = join(folder, "mounts");
    const mount = join(folder, "unified");
    await mkdir(join(mount, "aleph-n"), { recursive: true });
    await writeFile(mountsFile, `cgroup2 ${mount} cgroup2 rw,relatime 0 0\n`);
    await writeFile(join(mount, "cgroup.controllers"), "cpuset cpu memory pids\n");
    for (const group of [mount, join(mount, "aleph-n")]) {
      await writeFile(join(group, "cgroup.subtree_control"), "cpu memory pids\n");
    }
    const two = await createCgroupPart({ networkId: "n", prefix: "aleph", mountsFile, timers });
    assert.deepEqual(Object.keys(two.missing), ["io-limit"]);
    await two.attach(machine(4_242, 128, 64), signal());
    const group = join(mount, "aleph-n", `vm-3-${vmHash}`);
    const read = async (file: string) => [file, await readFile(join(group, file), "utf8")];
    const files = ["memory.max", "memory.oom.group", "pids.max", "cpu.max", "cpu.weight", "cgroup.procs"];
    assert.deepEqual(Object.fromEntries(await Promise.all(files.map(read))), {
      "memory.max": String(144 * 1_048_576),
      "memory.oom.group": "1",
      "pids.max": "64",
      "cpu.max": "250000 100000",
      "cpu.weight": "200",
      "cgroup.procs": "4242",
    });
    await rm(folder, { recursive: true });
  });

  test("that are not there are told of with the reason, and nothing fails", async () => {
    const folder = await mkdtemp(join(tmpdir(), "cgroups-"));
    const mountsFile = join(folder, "mounts");
    await writeFile(mountsFile, "tmpfs /tmp tmpfs rw 0 0\n");
    const none = await createCgroupPart({ networkId: "n", prefix: "aleph", mountsFile, timers });
    assert.match(none.missing["memory-limit"] ?? "", /mounted/);
    await none.attach(machine(1, 128, 64), signal());
    assert.deepEqual(await none.inventory(signal()), []);
    await rm(folder, { recursive: true });
  });
});

const isVersion2 = ({ missing }: HostPart): boolean => missing["io-limit"] === undefined;
const isRunning = (pid: number): boolean =>
  existsSync(`/proc/${pid}`) && !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
