import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Timers } from "@twentysix/platform";
import { VSOCK_SOCKETS } from "../hypervisor/command-line/vsock-sockets.ts";
import { HypervisorError } from "../hypervisor/errors.ts";
import { runTool, ToolError } from "../processes/run-tool.ts";
import { findProgram } from "./find-program.ts";
import { type GatedProcess, spawnGated } from "./gated-process.ts";
import { asUser } from "./spawn-machine.ts";

/** The device of rust-vmm: vsock of one machine in user space, without a module of the kernel or a number of the host. */
export const VSOCK_PROGRAM = "vhost-device-vsock";
const POLL_MS = 5;
/** What its connections may take, however many a guest opens; the memory of the guest, which it maps, is not among it. */
const MAX_DATA_BYTES = 134_217_728;
const MAX_FILES = 1_024;

export interface VsockDeviceOptions {
  readonly program: string;
  readonly runDir: string;
  /** null: the helper is not root. */
  readonly userId: number | null;
  readonly log: number;
}

/** A process that waits to become the vsock device of a machine, under its user and without any capability. */
export async function spawnVsockDevice({
  program,
  runDir,
  userId,
  log,
}: VsockDeviceOptions): Promise<GatedProcess> {
  const limits = [`--data=${MAX_DATA_BYTES}:${MAX_DATA_BYTES}`, `--nofile=${MAX_FILES}:${MAX_FILES}`];
  const command = [
    ...["prlimit", ...limits, ...asUser(userId, [])],
    ...[findProgram(program) ?? program, "--socket", VSOCK_SOCKETS.device, "--uds-path", VSOCK_SOCKETS.guest],
  ];
  return await spawnGated({ command, cwd: runDir, log, handles: [], listens: false });
}

/** Resolves when QEMU and the node can connect to it. @throws HypervisorError START_FAILED */
export async function vsockDeviceReady(
  { child }: GatedProcess,
  runDir: string,
  timers: Timers,
  signal: AbortSignal,
): Promise<void> {
  const paths = [VSOCK_SOCKETS.device, VSOCK_SOCKETS.guest].map((name) => join(runDir, name));
  while (!paths.every((path) => existsSync(path))) {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new HypervisorError("START_FAILED", "its vsock device ended at once");
    }
    await timers.sleep(POLL_MS, signal);
  }
}

/** Why machines get no vsock device here; null: they do. */
export async function vsockProblem(
  qemuProgram: string,
  vsockProgram: string,
  signal: AbortSignal,
): Promise<string | null> {
  const program = findProgram(vsockProgram);
  if (program === null) {
    return `${vsockProgram} of rust-vmm is not installed: runtimes of the reference run with the agent of this node instead of their own init`;
  }
  try {
    await runTool(program, ["--version"], { signal });
    const devices = await runTool(qemuProgram, ["-device", "help"], { signal });
    return devices.includes("vhost-user-vsock-device") ? null : "this QEMU has no vhost-user-vsock device";
  } catch (error) {
    if (error instanceof ToolError) return `vsock does not work: ${error.message}`;
    throw error;
  }
}
