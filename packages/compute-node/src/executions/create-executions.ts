import type { Clock, Logger, Timers } from "@twentysix/platform";
import type { Hypervisor } from "../hypervisor/hypervisor.ts";
import { Admission, type AdmissionOptions } from "./admission/admission.ts";
import type { Execution } from "./execution.ts";
import type { ExecutionManagerParts } from "./execution-manager.ts";
import { ExecutionManager } from "./execution-manager.ts";
import type { ExecutionStore } from "./execution-store.ts";
import { Fences } from "./fences.ts";
import { keepHouse } from "./housekeeping.ts";
import { ContactProof } from "./leases.ts";
import { LifeCycle, type LifeCycleLimits, type LifeCycleParts } from "./life-cycle.ts";
import { OwnerTurns } from "./owner-turns.ts";
import { type ReconcileReport, reconcile } from "./reconcile.ts";
import { Restarts, type RestartsParts } from "./restarts.ts";
import { VmQueues } from "./vm-queues.ts";

export interface ExecutionsOptions
  extends Pick<LifeCycleParts, "store" | "runners" | "resolveFiles">,
    Pick<ExecutionManagerParts, "assertRequirements" | "networkOf" | "portsOf"> {
  readonly hypervisor: Hypervisor;
  /** Given by those who note contacts before the executions are there; made here otherwise. */
  readonly contact?: ContactProof;
  readonly fences?: Fences;
  readonly admission: Omit<AdmissionOptions, "executions" | "clock">;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Logger;
  readonly settings: ExecutionsSettings;
  readonly onStartFailed?: RestartsParts["onStartFailed"] | undefined;
}

export interface ExecutionsSettings {
  readonly limits: LifeCycleLimits;
  /** Machines that start at once; others wait. */
  readonly maxParallelStarts: number;
  /** How old a proof of contact may be for leases to be renewed. */
  readonly contactMaxAgeMs: number;
  readonly leaseMs: number;
  readonly leaseRenewalPeriodMs: number;
  /** After so long without contact, others may have started machines of which their scheduler says nothing. */
  readonly takenOverAfterMs: number;
  readonly recordRetentionMs: number;
  /** How long the disks of machines stay that were stopped by others than their owner. */
  readonly stoppedRetentionMs: number;
  /** How long the disks of programs stay that nobody calls. */
  readonly idleProgramRetentionMs: number;
}

/** The executions of a node as they run. */
export interface RunningExecutions {
  readonly manager: ExecutionManager;
  readonly admission: Admission;
  readonly contact: ContactProof;
  readonly fences: Fences;
  readonly store: ExecutionStore;
  /** Call once, before anything else. */
  reconcile(signal: AbortSignal): Promise<ReconcileReport>;
  /** Takes nothing more; machines that are kept alive go on, programs that visitors called are stopped. */
  close(): Promise<void>;
}

/** A download holds no processor: so many more machines may be prepared at once than booted. */
const PREPARATIONS_PER_START = 8;

export function createExecutions(options: ExecutionsOptions): RunningExecutions {
  const { store, hypervisor, clock, timers, log, settings } = options;
  const { leaseMs, leaseRenewalPeriodMs: renewalPeriodMs, contactMaxAgeMs } = settings;
  const fences = options.fences ?? new Fences(store, { leaseMs, renewalPeriodMs });
  const contact = options.contact ?? new ContactProof(store, clock, contactMaxAgeMs, fences);
  const isStillOurs = (execution: Execution): boolean =>
    contact.isStillOurs(settings.takenOverAfterMs, execution);
  const mayBeElsewhere = ({ source, vmHash }: Execution): boolean =>
    source === "scheduler" || fences.has(vmHash);
  const queues = new VmQueues();
  const admission = new Admission({ ...options.admission, executions: () => store.list(), clock });
  const lifeCycle = new LifeCycle({
    store,
    runners: options.runners,
    resolveFiles: options.resolveFiles,
    preparations: turnsOf(settings.maxParallelStarts * PREPARATIONS_PER_START),
    starts: turnsOf(settings.maxParallelStarts),
    timers,
    log,
    limits: settings.limits,
    onRunning: (vmHash, vm) => restarts.watch(vmHash, vm),
  });
  const restarts = new Restarts({
    store,
    queues,
    lifeCycle,
    clock,
    timers,
    log,
    hasContact: (execution) => contact.isFreshFor(execution),
    isStillOurs,
    mayBeElsewhere,
    onStartFailed: options.onStartFailed,
  });
  const { assertRequirements, networkOf, portsOf } = options;
  const parts = { store, queues, lifeCycle, restarts, admission, assertRequirements, networkOf, portsOf };
  const manager = new ExecutionManager(parts);
  const stopping = new AbortController();
  const house = keepHouse({ ...options, manager, lifeCycle, contact }, stopping.signal);
  return {
    manager,
    admission,
    contact,
    fences,
    store,
    reconcile(signal) {
      const mayStart = (execution: Execution): boolean =>
        !mayBeElsewhere(execution) || isStillOurs(execution);
      return reconcile({ store, queues, lifeCycle, restarts, hypervisor, timers, log, mayStart }, signal);
    },
    async close() {
      stopping.abort();
      restarts.close();
      await house;
      await stopVisited(manager, log);
      await queues.close();
    },
  };
}

/** A quarter, and one at least, is left to others. */
function turnsOf(permits: number): OwnerTurns {
  return new OwnerTurns({ permits, permitsPerOwner: Math.max(1, permits - Math.ceil(permits / 4)) });
}

async function stopVisited(manager: ExecutionManager, log: Logger): Promise<void> {
  const isVisited = ({ state, isPersistent }: Execution): boolean => state === "running" && !isPersistent;
  const { signal } = new AbortController();
  const stops = manager.list().filter(isVisited);
  const outcomes = await Promise.allSettled(stops.map(({ vmHash }) => manager.stop(vmHash, null, signal)));
  for (const outcome of outcomes) {
    if (outcome.status === "rejected")
      log.warn("a program did not stop with the node", { error: outcome.reason });
  }
}
