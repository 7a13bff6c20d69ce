import { closeSync } from "node:fs";
import { join } from "node:path";
import { qemuArguments } from "../hypervisor/command-line/qemu-arguments.ts";
import { HypervisorError } from "../hypervisor/errors.ts";
import { isNobodyThere } from "../hypervisor/qmp/connect-unix.ts";
import type { QmpClient } from "../hypervisor/qmp/qmp-client.ts";
import type { VmSpec } from "../hypervisor/vm-spec.ts";
import type { GatedProcess } from "./gated-process.ts";
import type { HelperContext } from "./helper-context.ts";
import { runFolderOf } from "./helper-folders.ts";
import { bootId, uptimeMs } from "./host-processes.ts";
import { Machine } from "./machine.ts";
import { openMachineFiles } from "./machine-files.ts";
import { lockRunFolder, makeRunFolder } from "./run-folder.ts";
import { slowResumedDisks } from "./slow-disks.ts";
import { openLog, spawnMachine } from "./spawn-machine.ts";
import { insideNamespace } from "./user-forwards.ts";
import { writeNamespaceFiles } from "./user-internet/namespace-files.ts";
import { namespaceReady, setSlirpForwards, slirpReady, spawnSlirp } from "./user-internet/slirp-process.ts";
import { spawnVsockDevice, vsockDeviceReady } from "./vsock-device.ts";

/** From its first instruction until QEMU answers, on a machine that has much to do. */
const START_TIMEOUT_MS = 30_000;
const POLL_MS = 5;
const MIB = 1_048_576;

/** A machine that has a process; `running` resolves once its guest runs. */
export interface Launch {
  readonly machine: Machine;
  readonly running: Promise<void>;
}

/**
 * Starts a machine: its process first, which waits; then what the host grants it; then QEMU, paused; and its guest when
 * nothing is left to do. It is written down before QEMU runs.
 *
 * @throws HypervisorError SPEC_INVALID, START_FAILED
 */
export async function launchMachine(
  spec: VmSpec,
  launchId: string,
  context: HelperContext,
  signal: AbortSignal,
): Promise<Launch> {
  const { node, rules, machineUsers } = context;
  const { templateGroupId } = machineUsers;
  const host = await context.abilities(signal);
  if (spec.confidential != null && host.sev == null) {
    const reason = host.missing.sev ?? "it was not tried";
    throw new HypervisorError("SPEC_INVALID", `this host runs no confidential machines: ${reason}`);
  }
  if (spec.hasVsock && context.vsock.problem !== null) {
    throw new HypervisorError("SPEC_INVALID", `machines get no vsock device here: ${context.vsock.problem}`);
  }
  const userId = context.isRoot ? machineUsers.of(spec.vmNumber) : null;
  const runDir = runFolderOf(context.dir, spec.vmHash);
  makeRunFolder(runDir, node, userId);
  const serialLog = openLog(join(runDir, "serial.log"), { node, userId });
  using files = openMachineFiles(spec, { rules, serialLog, userId, templateGroupId });
  const { userInternet } = context;
  const hasNamespace = wantsInternet(spec) && userInternet.problem === null;
  if (hasNamespace) writeNamespaceFiles(runDir, userInternet);
  const waiting = await spawnMachine({
    program: context.qemuProgram,
    args: qemuArguments(hasNamespace ? inNamespace(spec) : withoutInternet(spec), files.numbers, host),
    runDir,
    handles: files.handles,
    userId,
    templateGroupId: spec.snapshot === null ? null : templateGroupId,
    lockedBytes: spec.confidential == null ? null : spec.memoryMib * MIB + spec.limits.overheadMib * MIB,
    hasNamespace,
    node,
  });
  const machine = new Machine(
    {
      spec,
      launchId,
      process: waiting.identity,
      companion: null,
      vsockDevice: null,
      userId,
      runDir,
      bootId: bootId(),
      startedAtMs: context.nowMs(),
      phase: "starting",
      leaseEndsAtUptimeMs: spec.leaseMs === null ? null : uptimeMs() + spec.leaseMs,
      ending: null,
    },
    context,
    waiting.child,
  );
  machine.update({});
  const running = run(machine, waiting, { state: files.state, hasNamespace }, context, signal);
  // Whoever asked awaits it a moment later.
  running.catch(() => undefined);
  return { machine, running };
}

async function run(
  machine: Machine,
  waiting: GatedProcess,
  { state, hasNamespace }: { readonly state: number | null; readonly hasNamespace: boolean },
  context: HelperContext,
  signal: AbortSignal,
): Promise<void> {
  const { spec, userId, runDir } = machine.record;
  const { pid } = waiting.identity;
  const limit = AbortSignal.any([signal, AbortSignal.timeout(START_TIMEOUT_MS)]);
  try {
    for (const part of context.parts) {
      await part.attach({ vmHash: spec.vmHash, vmNumber: spec.vmNumber, pid, userId, spec }, limit);
    }
    if (spec.hasVsock) await connectVsockDevice(machine, context, limit);
    waiting.go();
    if (hasNamespace) await connectNamespace(machine, waiting, context, limit);
    const qmp = await firstConnection(machine, context, limit);
    if (hasNamespace && spec.network.kind === "user") await setSlirpForwards(runDir, spec.network.forwards);
    lockRunFolder(runDir, context.node, userId);
    if (state !== null) await loadState(qmp, state, context, limit);
    await slowResumedDisks(qmp, spec, limit);
    // Its owner measures a confidential guest before its first instruction, and lets it go on himself.
    const isHeld = spec.confidential != null || spec.hasVsock;
    if (!isHeld) await qmp.execute("cont", {}, limit);
    machine.update({ phase: "running" });
  } catch (cause) {
    waiting.abandon();
    machine.end("failed");
    const { detail } = await machine.exited;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new HypervisorError("START_FAILED", `the machine did not start: ${reason} (${detail})`, { cause });
  }
}

function wantsInternet({ network }: VmSpec): boolean {
  return network.kind === "user" && network.hasInternet;
}

/** QEMU's own network in this host's namespace reaches the host's loopback, unless it reaches nothing. */
function withoutInternet(spec: VmSpec): VmSpec {
  const { network } = spec;
  return network.kind === "user" ? { ...spec, network: { ...network, hasInternet: false } } : spec;
}

function inNamespace(spec: VmSpec): VmSpec {
  const { network } = spec;
  if (network.kind !== "user") return spec;
  return { ...spec, network: { ...network, forwards: insideNamespace(network.forwards) } };
}

/** Gives the namespace of a machine its device, and lets QEMU run in it. */
async function connectNamespace(
  machine: Machine,
  waiting: GatedProcess,
  { timers, node }: HelperContext,
  signal: AbortSignal,
): Promise<void> {
  const { runDir, userId } = machine.record;
  await namespaceReady(waiting, runDir, timers, signal);
  const log = openLog(join(runDir, "qemu.log"), { node, userId });
  const slirp = await spawnSlirp(waiting, { runDir, userId, log }).finally(() => closeSync(log));
  machine.update({ companion: slirp.identity });
  slirp.go();
  await slirpReady(slirp, signal);
  waiting.say("net");
}

/** QEMU connects to the device when it starts. */
async function connectVsockDevice(
  machine: Machine,
  { timers, node, vsock }: HelperContext,
  signal: AbortSignal,
): Promise<void> {
  const { runDir, userId } = machine.record;
  const log = openLog(join(runDir, "qemu.log"), { node, userId });
  const starting = spawnVsockDevice({ program: vsock.program, runDir, userId, log });
  const device = await starting.finally(() => closeSync(log));
  machine.update({ vsockDevice: device.identity });
  device.go();
  await vsockDeviceReady(device, runDir, timers, signal);
}

/** QEMU makes its sockets a moment after it starts. */
async function firstConnection(
  machine: Machine,
  { timers }: HelperContext,
  signal: AbortSignal,
): Promise<QmpClient> {
  while (!machine.hasEnded) {
    try {
      return await machine.connect(signal);
    } catch (error) {
      if (!isNobodyThere(error)) throw error;
    }
    await timers.sleep(POLL_MS, signal);
  }
  throw new HypervisorError("START_FAILED", "QEMU ended at once");
}

/** Goes on where the template was saved: its devices from the state, its memory from the file that it maps. */
async function loadState(
  qmp: QmpClient,
  state: number,
  { timers }: HelperContext,
  signal: AbortSignal,
): Promise<void> {
  const capabilities = [{ capability: "x-ignore-shared", state: true }];
  await qmp.execute("migrate-set-capabilities", { capabilities }, signal);
  await qmp.execute("migrate-incoming", { uri: `fd:${state}` }, signal);
  for (;;) {
    const { status } = await qmp.execute<{ readonly status: string }>("query-status", {}, signal);
    if (status !== "inmigrate") return;
    await timers.sleep(POLL_MS, signal);
  }
}
