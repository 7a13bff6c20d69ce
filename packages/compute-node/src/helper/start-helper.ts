import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Clock, Logger, Timers } from "@twentysix/platform";
import { HypervisorError } from "../hypervisor/errors.ts";
import type { HostImages } from "../images/images.ts";
import { claimMachineUsers, USERS_FOLDER } from "./claim-machine-users.ts";
import { lockFolder } from "./folder-lock.ts";
import type { HelperContext } from "./helper-context.ts";
import { helperSocketOf, recordsFolderOf, runFolderOf } from "./helper-folders.ts";
import { HelperServer } from "./helper-server.ts";
import { helperVerbs } from "./helper-verbs.ts";
import type { HostPart } from "./host-parts.ts";
import { type HostAbilities, HostProbe } from "./host-probe.ts";
import { LeaseWatchdog } from "./lease-watchdog.ts";
import { MachineRecords } from "./machine-record.ts";
import { type MachineUsers, machineUsers } from "./machine-user.ts";
import { Machines } from "./machines.ts";
import { fileRulesOf } from "./open-file.ts";
import type { NodeUser } from "./run-folder.ts";
import type { UserInternetSettings } from "./user-internet/namespace-files.ts";
import { userInternetProblem } from "./user-internet/user-internet-probe.ts";
import { VSOCK_PROGRAM, vsockProblem } from "./vsock-device.ts";

export interface HelperOptions {
  /** Folder of the compute node; whoever owns it is the node's user. */
  readonly dir: string;
  readonly readOnlyDirs: readonly string[];
  readonly qemuProgram: string;
  /** What the host is tried with; those who know it already (tests) give `abilities` instead. */
  readonly images: HostImages;
  readonly abilities?: HostAbilities;
  /** What is the vsock device of machines: its name, or its path. */
  readonly vsockProgram?: string;
  /** Neither private networks nor mail, unless it says so. */
  readonly userInternet?: UserInternetSettings;
  /** How long it stays when no machine runs and no node is connected; null: for ever. */
  readonly exitWhenIdleMs?: number | null;
  /** Where the nodes of this host write down whose machines have which users. */
  readonly usersFolder?: string;
  /** Made when no other helper works in the folder. */
  parts(signal: AbortSignal, users: MachineUsers): Promise<readonly HostPart[]>;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Logger;
}

export interface RunningHelper extends AsyncDisposable {
  /** Resolves when nobody has needed it for its time. */
  readonly idle: Promise<void>;
}

/**
 * Starts the host helper: adopts the machines that run, answers the node, and looks after leases. Closing it ends no
 * machine.
 *
 * @throws HypervisorError HELPER_REFUSED when another helper works in the folder
 */
export async function startHelper(options: HelperOptions): Promise<RunningHelper> {
  const { dir, clock, timers, log, vsockProgram = VSOCK_PROGRAM } = options;
  mkdirSync(dir, { recursive: true, mode: 0o711 });
  const path = helperSocketOf(dir);
  await using stack = new AsyncDisposableStack();
  const lock = lockFolder(recordsFolderOf(dir));
  if (lock === null) {
    throw new HypervisorError("HELPER_REFUSED", `another host helper works in ${recordsFolderOf(dir)}`);
  }
  stack.use(lock);
  const isRoot = process.getuid?.() === 0;
  const node = nodeUserOf(dir);
  // Without rights all machines run as the node's own user, and the first range stands for none.
  const users = isRoot ? claimMachineUsers(dir, options.usersFolder ?? USERS_FOLDER) : machineUsers(0);
  const rules = fileRulesOf(dir, options.readOnlyDirs, isRoot ? [node.userId, 0] : null, users);
  const closing = new AbortController();
  stack.defer(() => closing.abort());
  const context: HelperContext = {
    dir,
    rules,
    node,
    isRoot,
    machineUsers: users,
    qemuProgram: options.qemuProgram,
    abilities: abilitiesOf(options, { rules, node, isRoot, machineUsers: users }),
    parts: await options.parts(closing.signal, users),
    userInternet: {
      ...(options.userInternet ?? NO_GRANTS),
      problem: await userInternetProblem(isRoot ? users : null, closing.signal),
    },
    vsock: {
      program: vsockProgram,
      problem: await vsockProblem(options.qemuProgram, vsockProgram, closing.signal),
    },
    records: new MachineRecords(recordsFolderOf(dir)),
    leases: new LeaseWatchdog(join(recordsFolderOf(dir), "leases")),
    timers,
    log,
    nowMs: () => Number(clock.nowMicros() / 1_000n),
  };
  let server: HelperServer | null = null;
  const machines = new Machines(context, ({ record }, exit) => {
    const { spec, launchId } = record;
    log.info("a machine has ended", { vmHash: spec.vmHash, reason: exit.reason, detail: exit.detail });
    server?.tell({ event: "exit", vmHash: spec.vmHash, launchId, exit });
  });
  const watching = machines.watch(closing.signal);
  stack.defer(async () => {
    closing.abort();
    await watching;
    machines.release();
  });
  await machines.adopt(closing.signal);
  const verbs = helperVerbs(machines, context);
  server = await HelperServer.listen({ path, verbs, node, isRoot, log, signal: closing.signal });
  stack.use(server);
  const isIdle = (): boolean => machines.list().length === 0 && server.connectionCount === 0;
  const { exitWhenIdleMs = null } = options;
  const idle = exitWhenIdleMs === null ? never : whenIdle(isIdle, exitWhenIdleMs, timers, closing.signal);
  const running = stack.move();
  return { idle, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

const never = new Promise<never>(() => undefined);
const IDLE_LOOKS = 5;

/** Resolves once nothing was there for the whole time; never when it ends before. */
async function whenIdle(
  isIdle: () => boolean,
  idleMs: number,
  timers: Timers,
  signal: AbortSignal,
): Promise<void> {
  let looks = 0;
  while (looks < IDLE_LOOKS) {
    try {
      await timers.sleep(idleMs / IDLE_LOOKS, signal);
    } catch (error) {
      if (signal.aborted) return never;
      throw error;
    }
    looks = isIdle() ? looks + 1 : 0;
  }
}

const NO_GRANTS: UserInternetSettings = { allowedNetworks: [], allowsMail: false };

function abilitiesOf(
  options: HelperOptions,
  rights: Pick<HelperContext, "rules" | "node" | "isRoot" | "machineUsers">,
): HelperContext["abilities"] {
  const { abilities, dir } = options;
  if (abilities !== undefined) return async () => abilities;
  const file = join(recordsFolderOf(dir), "abilities.json");
  const probe = new HostProbe({
    ...options,
    file,
    runDir: runFolderOf(dir, "accelerator-probe"),
    ...rights,
  });
  return (signal) => probe.abilities(signal);
}

function nodeUserOf(dir: string): NodeUser {
  const { uid, gid } = statSync(dir);
  return { userId: uid, groupId: gid };
}
