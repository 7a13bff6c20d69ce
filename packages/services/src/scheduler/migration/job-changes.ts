import { type Reason, reasonText } from "../model/reason.ts";
import type { SchedulerSettings } from "../settings.ts";
import type { MigrationJob } from "../state/migration-job.ts";
import type { SchedulerStore } from "../state/store.ts";

/** Begins a migration: clients see it from now on. */
export function beginJob(
  store: SchedulerStore,
  decision: {
    readonly vmHash: string;
    readonly from: string;
    readonly nodeHash: string;
    readonly reason: Reason;
  },
  nowMs: number,
): MigrationJob {
  const earlier = store.jobs.get(decision.vmHash);
  const job: MigrationJob = {
    vmHash: decision.vmHash,
    source: decision.from,
    target: decision.nodeHash,
    step: "export",
    startedAtMs: nowMs,
    reason: decision.reason,
    failedTargets: [],
    attempts: (earlier?.attempts ?? 0) + 1,
    notBeforeMs: null,
    isImpossible: false,
    error: null,
  };
  putJob(store, job, nowMs);
  return job;
}

/** Writes where a migration is, with the target that clients see. */
export function putJob(store: SchedulerStore, job: MigrationJob, nowMs: number): void {
  store.change((changes) => {
    changes.putJob(job);
    const vm = changes.vm(job.vmHash);
    if (vm === null) return;
    const migration = { targetNode: job.target, startedAtMs: job.startedAtMs };
    changes.putVm({ ...vm, migration, updatedAtMs: nowMs });
  });
}

/** The machine is the target's from now on. */
export function switchNode(store: SchedulerStore, job: MigrationJob, nowMs: number): void {
  const { vmHash, source, target } = job;
  const reason = reasonText(job.reason);
  store.change((changes) => {
    changes.putJob({ ...job, step: "switched" });
    const vm = changes.vm(vmHash);
    if (vm === null) return;
    const isObservedSinceAllocation = Object.hasOwn(changes.node(target)?.observations ?? {}, vmHash);
    changes.putVm({
      ...vm,
      allocatedNode: target,
      allocatedAtMs: nowMs,
      isObservedSinceAllocation,
      // Its disk is there, whether it was seen to run or not.
      hasRunSinceAllocation: true,
      missing: null,
      migration: null,
      reason: null,
      reasonSinceMs: null,
      updatedAtMs: nowMs,
    });
    changes.history.push(
      { vmHash, nodeHash: source, action: "migrated_from", reason },
      { vmHash, nodeHash: target, action: "migrated_to", reason },
    );
    changes.event({ type: "VmMigrated", vmHash, sourceHash: source, targetHash: target }, job.reason);
  });
}

/** It is over, well. */
export function endJob(store: SchedulerStore, { vmHash }: MigrationJob): void {
  store.change((changes) => {
    changes.jobs.set(vmHash, null);
    const vm = changes.vm(vmHash);
    if (vm?.migration != null) changes.putVm({ ...vm, migration: null });
  });
}

export interface MigrationEnd {
  readonly error: string;
  readonly isImpossible: boolean;
  /** A target may have the machine. */
  readonly isUnsure: boolean;
}

/** It failed, and the machine stays where it was; the job is kept so that it is not tried again at once. */
export function failJob(
  store: SchedulerStore,
  job: MigrationJob,
  { error, isImpossible, isUnsure }: MigrationEnd,
  { firstRetryMs, maxRetryMs, unsureMs }: SchedulerSettings["migration"],
  nowMs: number,
): void {
  const backOffMs = Math.min(firstRetryMs * 2 ** (job.attempts - 1), maxRetryMs);
  const delayMs = isUnsure ? Math.max(backOffMs, unsureMs) : backOffMs;
  store.change((changes) => {
    changes.putJob({ ...job, step: "finished", notBeforeMs: nowMs + delayMs, isImpossible, error });
    const vm = changes.vm(job.vmHash);
    if (vm === null) return;
    const reason: Reason = { code: "migration_failed", text: error };
    changes.putVm({ ...vm, migration: null, reason, reasonSinceMs: nowMs, updatedAtMs: nowMs });
  });
}
