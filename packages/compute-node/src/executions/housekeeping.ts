import { type Clock, isAbortOf, type Logger, type Timers } from "@twentysix/platform";
import type { Hypervisor } from "../hypervisor/hypervisor.ts";
import type { ExecutionsSettings } from "./create-executions.ts";
import type { Execution } from "./execution.ts";
import type { ExecutionManager } from "./execution-manager.ts";
import type { ExecutionStore } from "./execution-store.ts";
import type { ContactProof } from "./leases.ts";
import type { LifeCycle } from "./life-cycle.ts";
import { mayHaveProcess } from "./transitions.ts";

export interface HouseParts {
  readonly manager: ExecutionManager;
  readonly store: ExecutionStore;
  readonly lifeCycle: LifeCycle;
  readonly hypervisor: Hypervisor;
  readonly contact: ContactProof;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Logger;
  readonly settings: ExecutionsSettings;
}

const CLEANING_PERIOD_MS = 600_000;
const MAX_RECORDS = 10_000;
/** More programs than this that nobody calls are too many, however young they are. */
const MAX_IDLE_PROGRAMS = 1_000;
/** Stopped for these reasons, a machine keeps its disks for a time only. */
const ENDING_REASONS: ReadonlySet<string> = new Set(["PAYMENT_MISSING", "MESSAGE_REMOVED", "NOT_ALLOCATED"]);

/** Renews leases, drops old records, and removes disks that nobody has asked for in a long time. */
export async function keepHouse(parts: HouseParts, signal: AbortSignal): Promise<void> {
  const { timers, log, settings } = parts;
  const onError = (error: unknown): void => log.error("housekeeping of machines failed", { error });
  await Promise.all([
    timers.every(settings.leaseRenewalPeriodMs, () => renewLeases(parts, signal), {
      signal,
      onError,
      immediately: true,
    }),
    timers.every(CLEANING_PERIOD_MS, () => clean(parts, signal), { signal, onError }),
  ]);
}

type LeaseParts = Pick<HouseParts, "lifeCycle" | "hypervisor" | "store" | "contact" | "log">;

/** Without proof nothing is renewed: the helper then ends the machines, before others start them. */
export async function renewLeases(
  { lifeCycle, hypervisor, store, contact, log }: LeaseParts,
  signal: AbortSignal,
): Promise<void> {
  const renew = async (vmHash: string): Promise<void> => {
    // A machine that starts has a process before it is anybody's: its guest may take longer than its first lease.
    const vm = lifeCycle.vms.get(vmHash) ?? (await hypervisor.find(vmHash, signal));
    await vm?.renewLease(signal);
  };
  const renewals = store
    .list()
    .filter((execution) => mayHaveProcess(execution.state) && contact.isFreshFor(execution))
    .map(({ vmHash }) => renew(vmHash));
  for (const outcome of await Promise.allSettled(renewals)) {
    if (outcome.status === "rejected" && !signal.aborted) {
      log.warn("the lease of a machine could not be renewed", { error: outcome.reason });
    }
  }
}

async function clean(
  { manager, store, clock, log, settings }: HouseParts,
  signal: AbortSignal,
): Promise<void> {
  const nowMs = Number(clock.nowMicros() / 1_000n);
  store.prune(nowMs - settings.recordRetentionMs, MAX_RECORDS);
  const idle = manager.list().filter(isIdleProgram);
  const excess = Math.max(idle.length - MAX_IDLE_PROGRAMS, 0);
  const isOld = (execution: Execution, retentionMs: number): boolean =>
    (execution.times.stoppedAtMs ?? execution.times.definedAtMs) < nowMs - retentionMs;
  const forgotten = [
    ...idle.filter((program, index) => index < excess || isOld(program, settings.idleProgramRetentionMs)),
    ...manager.list().filter((machine) => isEnding(machine) && isOld(machine, settings.stoppedRetentionMs)),
  ];
  const reason = store.reason("RETENTION_OVER", "its disks were kept for their time");
  for (const { vmHash } of forgotten) {
    try {
      await manager.erase(vmHash, reason, signal);
    } catch (error) {
      if (isAbortOf(signal, error)) throw error;
      log.warn("the disks of a machine could not be removed: it is tried again", { vmHash, error });
    }
  }
}

function isIdleProgram({ kind, state, isPersistent, desired }: Execution): boolean {
  return (
    kind === "program" &&
    !isPersistent &&
    desired === "stopped" &&
    (state === "stopped" || state === "failed")
  );
}

function isEnding({ desired, state, reason }: Execution): boolean {
  return desired === "stopped" && state === "stopped" && ENDING_REASONS.has(reason?.code ?? "");
}
