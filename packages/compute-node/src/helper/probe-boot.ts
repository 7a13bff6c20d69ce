import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createDeferred, type Timers } from "@twentysix/platform";
import { QMP_SOCKETS, qemuArguments } from "../hypervisor/command-line/qemu-arguments.ts";
import { isNobodyThere } from "../hypervisor/qmp/connect-unix.ts";
import { QmpClient } from "../hypervisor/qmp/qmp-client.ts";
import type { VmSpec } from "../hypervisor/vm-spec.ts";
import type { HostImages } from "../images/images.ts";
import type { GatedProcess } from "./gated-process.ts";
import { signalProcess } from "./host-processes.ts";
import { tailOf } from "./log-files.ts";
import { openMachineFiles } from "./machine-files.ts";
import { MAX_VM_NUMBER, type MachineUsers } from "./machine-user.ts";
import type { FileRules } from "./open-file.ts";
import { makeRunFolder, type NodeUser } from "./run-folder.ts";
import { openLog, spawnMachine } from "./spawn-machine.ts";

export interface ProbeBootOptions {
  readonly accelerator: "kvm" | "tcg";
  readonly images: HostImages;
  readonly qemuProgram: string;
  readonly runDir: string;
  readonly rules: FileRules;
  readonly node: NodeUser;
  readonly isRoot: boolean;
  readonly machineUsers: MachineUsers;
  readonly timers: Timers;
}

/** What is waited for; once the guest has said `after`, no longer than `patienceMs`. */
export interface AwaitedLine {
  readonly line: RegExp;
  readonly after?: RegExp;
  readonly patienceMs?: number;
}

export interface ProbeBoot {
  /** What the guest said that was waited for; null: it did not within the time. */
  readonly match: RegExpExecArray | null;
  /** Why it did not. */
  readonly problem: string;
  /** All that it said. */
  readonly said: string;
}

const POLL_MS = 25;
const SHOWN_LOG_BYTES = 300;
/** After SIGKILL: a process that the kernel does not let go of is left behind. */
const GONE_TIMEOUT_MS = 3_000;

/**
 * Boots a guest for real and waits for a line of its kernel: a host may have `/dev/kvm` and hang on it. Its process is
 * gone afterwards, whatever it did.
 */
export async function probeBoot(
  options: ProbeBootOptions,
  awaited: AwaitedLine,
  limitMs: number,
  signal: AbortSignal,
): Promise<ProbeBoot> {
  const { runDir, timers } = options;
  const limit = AbortSignal.any([signal, AbortSignal.timeout(limitMs)]);
  const waiting = await spawnProbe(options);
  const ended = createDeferred<void>();
  waiting.child.once("exit", () => ended.resolve());
  try {
    waiting.go();
    const qmp = await connectTo(runDir, timers, ended, limit);
    if (qmp !== null) {
      await qmp.execute("cont", {}, limit);
      const heard = await listen(runDir, awaited, ended, timers, limit);
      if (heard !== null) return heard;
    }
    const last = tailOf(join(runDir, "qemu.log"), SHOWN_LOG_BYTES);
    return { match: null, problem: `QEMU ended: ${last || "it did not say why"}`, said: "" };
  } catch (error) {
    signal.throwIfAborted();
    if (!limit.aborted) throw error;
    return { match: null, problem: `a guest did not boot within ${limitMs / 1_000} s`, said: "" };
  } finally {
    signalProcess(waiting.identity, "SIGKILL");
    await timers.withTimeout(GONE_TIMEOUT_MS, () => ended.promise).catch(() => undefined);
    rmSync(runDir, { recursive: true, force: true });
  }
}

/** null: QEMU has ended. */
async function listen(
  runDir: string,
  { line, after, patienceMs = 0 }: AwaitedLine,
  ended: { readonly settled: boolean },
  timers: Timers,
  signal: AbortSignal,
): Promise<ProbeBoot | null> {
  let polls = 0;
  while (!ended.settled) {
    const said = readFileSync(join(runDir, "serial.log"), "utf8");
    const match = line.exec(said);
    if (match !== null) return { match, problem: "", said };
    if (after?.test(said) === true) polls += 1;
    if (polls * POLL_MS > patienceMs) return { match: null, problem: `the guest never said ${line}`, said };
    await timers.sleep(POLL_MS, signal);
  }
  return null;
}

async function spawnProbe(options: ProbeBootOptions): Promise<GatedProcess> {
  const { accelerator, runDir, rules, node, isRoot, machineUsers, qemuProgram } = options;
  const { templateGroupId } = machineUsers;
  const userId = isRoot ? machineUsers.of(MAX_VM_NUMBER) : null;
  const spec = specOf(options.images);
  makeRunFolder(runDir, node, userId);
  const serialLog = openLog(join(runDir, "serial.log"), { node, userId });
  using files = openMachineFiles(spec, { rules, serialLog, userId, templateGroupId });
  const args = qemuArguments(spec, files.numbers, { accelerator, tscKhz: null });
  const { handles } = files;
  return await spawnMachine({
    program: qemuProgram,
    args,
    runDir,
    handles,
    userId,
    templateGroupId: null,
    hasNamespace: false,
    node,
  });
}

async function connectTo(
  runDir: string,
  timers: Timers,
  ended: { readonly settled: boolean },
  signal: AbortSignal,
): Promise<QmpClient | null> {
  while (!ended.settled) {
    try {
      return await QmpClient.connect({ path: join(runDir, QMP_SOCKETS.helper), timers }, signal);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (!isNobodyThere(error) && code !== "QMP_CLOSED") throw error;
    }
    await timers.sleep(POLL_MS, signal);
  }
  return null;
}

function specOf(images: HostImages): VmSpec {
  return {
    vmHash: "accelerator-probe",
    vmNumber: MAX_VM_NUMBER,
    machine: "q35",
    vcpus: 1,
    memoryMib: 128,
    kernel: { ...images, arguments: ["loglevel=7"] },
    drives: [],
    network: { kind: "none" },
    channels: [],
    hasVsock: false,
    snapshot: null,
    leaseMs: null,
    limits: { overheadMib: 512, maxProcesses: 64, diskBytesPerSecond: null },
  };
}
