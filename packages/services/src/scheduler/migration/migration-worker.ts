import { type Logger, PlatformError, type Timers } from "@twentysix/platform";
import type { Dispatcher } from "../dispatch/dispatcher.ts";
import { SchedulerError } from "../errors.ts";
import type { SchedulerSettings } from "../settings.ts";
import type { MigrationJob } from "../state/migration-job.ts";
import type { SchedulerStore } from "../state/store.ts";
import { endJob, failJob, putJob, switchNode } from "./job-changes.ts";
import type { ExportStatus, MigrationCalls, Outcome } from "./migration-calls.ts";

export interface MigrationOptions {
  readonly store: SchedulerStore;
  readonly calls: MigrationCalls;
  readonly dispatcher: Pick<Dispatcher, "hold" | "touch">;
  readonly settings: SchedulerSettings;
  readonly timers: Timers;
  readonly nowMs: () => number;
  readonly log: Logger;
  /** Another target for a machine; null: there is none. */
  readonly targetFor: (vmHash: string, except: readonly string[]) => string | null;
  readonly onChange: () => void;
}

/** A migration cannot go on; the machine stays on its source. */
class MigrationFailure extends Error {
  override readonly name = "MigrationFailure";
  readonly isImpossible: boolean;
  /** Every target has said that it has not the machine: its source may start it at once. */
  readonly isNowhereElse: boolean;

  constructor(
    message: string,
    facts: { readonly isImpossible?: boolean; readonly isNowhereElse?: boolean } = {},
  ) {
    super(message);
    this.isImpossible = facts.isImpossible ?? false;
    this.isNowhereElse = facts.isNowhereElse ?? false;
  }
}

/** Why a target has not taken a machine. */
interface Refusal {
  readonly text: string;
  /** It may have it all the same. */
  readonly isUnsure: boolean;
}

const notExportable = ({ text, isPassing }: Extract<Outcome, { kind: "never" }>): MigrationFailure =>
  new MigrationFailure(text, { isImpossible: isPassing !== true });

/** How long a node of a migration may be silent. */
const MAX_SILENCE_MS = 120_000;

/**
 * Moves one machine with its disk. No list goes to the source until it has let go of the machine, none to the target
 * until it has it: a node that is told to run, or not to run, what is being moved would destroy it.
 */
export class MigrationWorker {
  readonly #options: MigrationOptions;
  readonly #signal: AbortSignal;
  readonly #holds = new Map<string, Promise<() => void>>();
  #job: MigrationJob;
  #isUnsure: boolean;

  constructor(options: MigrationOptions, job: MigrationJob, signal: AbortSignal) {
    this.#options = options;
    this.#job = job;
    // What targets said before a restart is not known any more.
    this.#isUnsure = job.failedTargets.length > 0;
    this.#signal = signal;
    // At once: lists to these nodes wait from now on, also after a restart in the middle.
    this.#hold(job.source);
    if (job.step === "import") this.#hold(job.target);
  }

  /** Goes on from where the job is until it is over or the signal aborts, whose reason is thrown then. */
  async run(): Promise<void> {
    const { store, settings, log, nowMs, onChange } = this.#options;
    try {
      await this.#held();
      if (this.#job.step === "export") await this.#export();
      if (this.#job.step === "import") await this.#import();
      if (this.#job.step === "switched") await this.#letGo();
    } catch (error) {
      if (!(error instanceof MigrationFailure)) throw error;
      log.warn("a machine could not be moved; it stays where it is", { vmHash: this.#job.vmHash, error });
      if (error.isNowhereElse) await this.#giveBack();
      const { message, isImpossible } = error;
      const isUnsure = this.#job.step === "import" && !error.isNowhereElse;
      failJob(store, this.#job, { error: message, isImpossible, isUnsure }, settings.migration, nowMs());
    } finally {
      await this.#release();
      onChange();
    }
  }

  #hold(nodeHash: string): void {
    if (!this.#holds.has(nodeHash)) this.#holds.set(nodeHash, this.#options.dispatcher.hold(nodeHash));
  }

  async #held(): Promise<void> {
    await Promise.all(this.#holds.values());
  }

  async #release(nodeHash?: string): Promise<void> {
    for (const [held, release] of this.#holds) {
      if (nodeHash !== undefined && nodeHash !== held) continue;
      this.#holds.delete(held);
      (await release)();
    }
  }

  async #export(): Promise<void> {
    const { calls } = this.#options;
    const { source, vmHash } = this.#job;
    const outcome = await this.#persist(() => calls.startExport(source, vmHash, this.#signal));
    if (outcome.kind === "never") throw notExportable(outcome);
    await this.#exported();
    this.#put({ step: "import" });
  }

  /** Waits for the export, and begins it anew when its node forgot it. */
  async #exported(): Promise<ExportStatus> {
    const { calls, timers, settings } = this.#options;
    const { source, vmHash } = this.#job;
    for (;;) {
      const status = await this.#persist(() => calls.exportStatus(source, vmHash, this.#signal));
      if (status?.state === "exported" && status.token !== null && status.files.length > 0) return status;
      if (status?.state === "export_failed") {
        throw new MigrationFailure(`its node could not export it: ${status.error ?? "no reason given"}`);
      }
      if (status === null || status.state === "none") {
        const again = await this.#persist(() => calls.startExport(source, vmHash, this.#signal));
        if (again.kind === "never") throw notExportable(again);
      }
      await timers.sleep(settings.migration.pollMs, this.#signal);
    }
  }

  async #import(): Promise<void> {
    const { store, settings, nowMs, targetFor } = this.#options;
    for (;;) {
      const { vmHash, source, target, failedTargets } = this.#job;
      if (store.vms.get(vmHash)?.isLive !== true) return this.#dropped();
      this.#hold(target);
      await this.#held();
      const refusal = await this.#importAt(target);
      if (refusal === null) {
        if (store.vms.get(vmHash)?.isLive !== true) return this.#dropped();
        switchNode(store, this.#job, nowMs());
        this.#job = { ...this.#job, step: "switched" };
        await this.#release(target);
        return;
      }
      this.#isUnsure ||= refusal.isUnsure;
      const failed = [...failedTargets, target];
      await this.#release(target);
      // One that may run it yet is none to be followed by another: it would run twice.
      const mayTryAnother = !this.#isUnsure && failed.length < settings.migration.maxTargets;
      const next = mayTryAnother ? targetFor(vmHash, [source, ...failed]) : null;
      if (next === null) throw new MigrationFailure(refusal.text, { isNowhereElse: !this.#isUnsure });
      this.#put({ target: next, failedTargets: failed });
    }
  }

  /** null: the target has the machine; else why it has not. */
  async #importAt(target: string): Promise<Refusal | null> {
    const { calls, settings, nowMs, timers } = this.#options;
    const { vmHash, source } = this.#job;
    const exported = await this.#exported();
    const ageMs = nowMs() - (exported.finishedAtMs ?? nowMs());
    if (ageMs > settings.migration.exportTtlMs) throw new MigrationFailure("its export is too old");
    const known = await this.#persist(() => calls.importStatus(target, vmHash, this.#signal));
    if (known?.state === "imported") return null;
    const outcome = await this.#persist(() =>
      calls.startImport(target, source, vmHash, exported, this.#signal),
    );
    if (outcome.kind === "done") return null;
    if (outcome.kind === "never") {
      return { text: `the target does not take it: ${outcome.text}`, isUnsure: outcome.isHere === true };
    }
    let progress = { bytes: -1, atMs: nowMs() };
    for (;;) {
      const status = await this.#persist(() => calls.importStatus(target, vmHash, this.#signal));
      if (status?.state === "imported") return null;
      if (status === null || status.state === "none") {
        return { text: "the import failed: the target forgot it", isUnsure: true };
      }
      if (status.state === "import_failed") {
        return { text: `the import failed: ${status.error ?? "no reason given"}`, isUnsure: false };
      }
      if (status.downloadedBytes !== progress.bytes) {
        progress = { bytes: status.downloadedBytes, atMs: nowMs() };
      }
      if (nowMs() - progress.atMs > settings.migration.stallMs)
        return { text: "the import stalled", isUnsure: true };
      await timers.sleep(settings.migration.pollMs, this.#signal);
    }
  }

  /** The source may forget the machine; whatever it says, its next list is without it. */
  async #letGo(): Promise<void> {
    const { store, calls, timers, log } = this.#options;
    const { source, vmHash } = this.#job;
    try {
      for (;;) {
        const outcome = await this.#persist(() => calls.cleanUp(source, vmHash, this.#signal));
        if (outcome.kind !== "going") break;
        await timers.sleep(CLEAN_UP_RETRY_MS, this.#signal);
      }
    } catch (error) {
      if (!(error instanceof MigrationFailure)) throw error;
      log.warn("the source of a migration could not be told to clean up", { vmHash, source, error });
    }
    endJob(store, this.#job);
  }

  /** Lets the source run the machine again at once; one that cannot be told does so when the export is too old. */
  async #giveBack(): Promise<void> {
    const { calls, log } = this.#options;
    const { source, vmHash } = this.#job;
    try {
      await calls.cancel(source, vmHash, this.#signal);
    } catch (error) {
      this.#signal.throwIfAborted();
      if (!(error instanceof SchedulerError || error instanceof PlatformError)) throw error;
      log.warn("the source of a migration could not be told to go on", { vmHash, source, error });
    }
  }

  /** Its message was taken back meanwhile: both sides forget it. */
  async #dropped(): Promise<void> {
    await this.#letGo();
  }

  #put(changes: Partial<MigrationJob>): void {
    this.#job = { ...this.#job, ...changes };
    putJob(this.#options.store, this.#job, this.#options.nowMs());
  }

  /** Asks again while a node does not answer, within a bound. */
  async #persist<Result>(ask: () => Promise<Result>): Promise<Result> {
    const { nowMs, timers, settings } = this.#options;
    const untilMs = nowMs() + MAX_SILENCE_MS;
    for (;;) {
      try {
        return await ask();
      } catch (error) {
        this.#signal.throwIfAborted();
        if (!(error instanceof SchedulerError || error instanceof PlatformError)) throw error;
        if (nowMs() >= untilMs) throw new MigrationFailure(error.message);
        await timers.sleep(settings.migration.pollMs, this.#signal);
      }
    }
  }
}

const CLEAN_UP_RETRY_MS = 5_000;
