import { createDeferred, isAbortOf, type Logger, Semaphore, type Timers } from "@twentysix/platform";
import type { Hypervisor, VmProcess } from "../hypervisor/hypervisor.ts";
import type { Execution } from "./execution.ts";
import type { ExecutionStore } from "./execution-store.ts";
import type { LifeCycle } from "./life-cycle.ts";
import type { Restarts } from "./restarts.ts";
import type { VmQueues } from "./vm-queues.ts";

export interface ReconcileParts {
  readonly store: ExecutionStore;
  readonly queues: VmQueues;
  readonly lifeCycle: LifeCycle;
  readonly restarts: Restarts;
  readonly hypervisor: Hypervisor;
  readonly timers: Pick<Timers, "schedule">;
  readonly log: Logger;
  /** Nobody can have started the machine while this node was away; what may be elsewhere waits for the scheduler's list. */
  readonly mayStart: (execution: Execution) => boolean;
}

export interface ReconcileReport {
  readonly adopted: readonly string[];
  readonly ended: readonly string[];
  readonly toStart: readonly string[];
}

/** A guest that answers does so within a second or two; what takes longer is seen to while the node serves. */
const PATIENCE_MS = 5_000;
const AT_ONCE = 32;

/**
 * At the start of the node: what shall run is compared with what runs. Machines that run are adopted, those that should
 * not are ended, processes that no row knows are killed, and what should run and does not is started in the background.
 * All at once: leases of those that are well must not run out while one does not answer.
 */
export async function reconcile(parts: ReconcileParts, signal: AbortSignal): Promise<ReconcileReport> {
  const { store, queues, hypervisor, restarts, timers } = parts;
  const processes = await hypervisor.list(signal);
  const withProcess = new Set(processes.map(({ vmHash }) => vmHash));
  const strangers = processes.filter(({ vmHash }) => store.get(vmHash) === null);
  const permits = new Semaphore({ permits: AT_ONCE, maxWaiters: Number.MAX_SAFE_INTEGER });
  const late = createDeferred<"late">();
  const cancel = timers.schedule(PATIENCE_MS, () => late.resolve("late"));
  const end = async ({ vmHash }: VmProcess): Promise<Settled> => {
    await permits.run(() => killOrphan(vmHash, parts, signal));
    return { vmHash, outcome: "ended" };
  };
  const bringInOrder = async (execution: Execution): Promise<Settled> => {
    const { vmHash } = execution;
    const hasProcess = withProcess.has(vmHash);
    const settled = queues.run(vmHash, "adopt", async (closing) => {
      using _permit = await permits.acquire(closing);
      const outcome = await settle(execution, hasProcess, parts, AbortSignal.any([signal, closing]));
      if (outcome === "to-start") restarts.schedule(vmHash, 0);
      return outcome;
    });
    // `settle` has told of its failure; nobody waits for one that is late.
    settled.catch(() => undefined);
    // Who moves machines goes on right after this.
    const outcome = isMoving(execution) ? settled : Promise.race([settled, late.promise]);
    return { vmHash, outcome: await outcome };
  };
  const outcomes = await Promise.all([...strangers.map(end), ...store.list().map(bringInOrder)]);
  cancel();
  const those = (wanted: Outcome): readonly string[] =>
    outcomes.filter(({ outcome }) => outcome === wanted).map(({ vmHash }) => vmHash);
  return { adopted: those("adopted"), ended: those("ended"), toStart: those("to-start") };
}

interface Settled {
  readonly vmHash: string;
  readonly outcome: Outcome | "late";
}

type Outcome = "adopted" | "ended" | "to-start" | "left";

async function settle(
  execution: Execution,
  hasProcess: boolean,
  parts: ReconcileParts,
  signal: AbortSignal,
): Promise<Outcome> {
  const { vmHash, desired } = execution;
  const { log } = parts;
  try {
    if (desired === "gone") {
      await takeProcess(vmHash, hasProcess, parts, signal);
      await parts.restarts.erase(vmHash, execution.reason, signal);
      return "ended";
    }
    if (isMoving(execution)) return await leaveMoving(execution, hasProcess, parts, signal);
    if (hasProcess && desired === "running" && (await adopted(execution, parts, signal))) return "adopted";
    const outcome = await bringToRest(execution, hasProcess, parts, signal);
    if (!mayStartAgain(parts.store.require(vmHash), parts.mayStart)) return outcome;
    return "to-start";
  } catch (error) {
    if (isAbortOf(signal, error)) throw error;
    // One machine that cannot be settled must not keep the others, or the node, from starting.
    log.error("a machine could not be brought in order after the restart", { vmHash, error });
    return fail(vmHash, parts, error);
  }
}

async function adopted(execution: Execution, parts: ReconcileParts, signal: AbortSignal): Promise<boolean> {
  const { vmHash } = execution;
  if (!isUp(execution)) return false;
  const vm = await parts.hypervisor.find(vmHash, signal);
  if (vm === null) return false;
  return parts.lifeCycle.adopt(vmHash, vm, signal);
}

const isMoving = ({ state }: Execution): boolean => state === "exporting" || state === "importing";

const isUp = ({ state }: Execution): boolean => state === "running" || state === "starting";

/** Its state must not say that it runs. */
async function fail(vmHash: string, parts: ReconcileParts, error: unknown): Promise<Outcome> {
  const { store, lifeCycle, mayStart } = parts;
  const { state, desired } = store.require(vmHash);
  if (desired === "gone" || state === "stopped" || state === "failed") return "left";
  const text = `after the restart of the node: ${error instanceof Error ? error.message : String(error)}`;
  await lifeCycle.bury(vmHash, store.reason("HYPERVISOR_FAILED", text));
  return mayStartAgain(store.require(vmHash), mayStart) ? "to-start" : "left";
}

/** Stopped, and nothing of a running machine is left. */
async function bringToRest(
  execution: Execution,
  hasProcess: boolean,
  parts: ReconcileParts,
  signal: AbortSignal,
): Promise<Outcome> {
  const { vmHash, state, desired, isPersistent } = execution;
  const { store, lifeCycle } = parts;
  await takeProcess(vmHash, hasProcess, parts, signal);
  const wasUp = hasProcess || (state !== "stopped" && state !== "failed" && state !== "defined");
  if (wasUp) {
    if (state === "stopped" || state === "defined") {
      await lifeCycle.vms.get(vmHash)?.kill();
      lifeCycle.vms.delete(vmHash);
    }
    const text = "the machine ended, or was not yet started, when the node was started again";
    const reason = desired === "running" ? store.reason("NODE_RESTARTED", text) : execution.reason;
    await lifeCycle.bringDown(vmHash, reason, signal);
  }
  // Programs that nobody keeps start with their next call.
  if (desired === "running" && !isPersistent) store.change(vmHash, { desired: "stopped" });
  return wasUp ? "ended" : "left";
}

async function takeProcess(
  vmHash: string,
  hasProcess: boolean,
  { hypervisor, lifeCycle }: ReconcileParts,
  signal: AbortSignal,
): Promise<void> {
  if (!hasProcess) return;
  const vm = await hypervisor.find(vmHash, signal);
  if (vm !== null) lifeCycle.vms.set(vmHash, vm);
}

/** A machine that is moved runs nowhere; who moves it goes on by itself. */
async function leaveMoving(
  { vmHash }: Execution,
  hasProcess: boolean,
  { hypervisor }: ReconcileParts,
  signal: AbortSignal,
): Promise<Outcome> {
  if (!hasProcess) return "left";
  await (await hypervisor.find(vmHash, signal))?.kill();
  return "ended";
}

function mayStartAgain(execution: Execution, mayStart: ReconcileParts["mayStart"]): boolean {
  return execution.desired === "running" && execution.isPersistent && mayStart(execution);
}

async function killOrphan(
  vmHash: string,
  { hypervisor, log }: ReconcileParts,
  signal: AbortSignal,
): Promise<void> {
  log.warn("a machine runs that this node does not know: it is ended", { vmHash });
  await (await hypervisor.find(vmHash, signal))?.kill();
}
