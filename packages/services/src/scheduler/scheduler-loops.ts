import { isAbortOf, type Logger, PlatformError, type Timers } from "@twentysix/platform";
import { isSdkError } from "@twentysix/sdk";
import { SchedulerError } from "./errors.ts";
import type { SchedulerParts } from "./scheduler-parts.ts";
import type { SchedulerSettings } from "./settings.ts";
import { Wakeup } from "./wakeup.ts";

export interface LoopOptions {
  readonly parts: SchedulerParts;
  readonly settings: SchedulerSettings;
  readonly timers: Timers;
  readonly log: Logger;
  /** Extra work of the active scheduler, until its signal aborts. */
  readonly more: readonly ((signal: AbortSignal) => Promise<void>)[];
}

const STANDBY_PERIOD_MS = 1_000;
const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 60_000;
const TELL_PERIOD_MS = 1_000;
const KEEP_TIMES_PERIOD_MS = 60_000;

/**
 * Runs a scheduler until the signal aborts: as a stand-by that follows the active one, and as the active one while it
 * has the lease.
 */
export async function runScheduler(options: LoopOptions, signal: AbortSignal): Promise<void> {
  const { timers, log } = options;
  for (let failures = 0; !signal.aborted; ) {
    try {
      await takeTurn(options, signal);
      failures = 0;
    } catch (error) {
      if (error instanceof SchedulerError && error.code === "SCHEDULER_LEASE_LOST") {
        log.warn("another scheduler decides now");
        continue;
      }
      // A disk that is full, or a defect: what is stored is whole, and machines must not stay without a scheduler.
      const retryMs = Math.min(FIRST_RETRY_MS * 2 ** failures, MAX_RETRY_MS);
      log.fatal("the scheduler met what it should not; it begins anew", { retryMs, error });
      failures = Math.min(failures + 1, 10);
      await timers.sleep(retryMs, signal).catch(() => undefined);
    }
  }
}

async function takeTurn(options: LoopOptions, signal: AbortSignal): Promise<void> {
  const { parts, timers, settings, log } = options;
  const isActive = parts.lease.renew();
  parts.store.reload();
  if (isActive) {
    parts.liveness.takeOver(parts.nowMs());
    log.info("this scheduler decides now");
    await runActive(options, signal);
    if (!signal.aborted) log.warn("another scheduler decides now");
    return;
  }
  const periodMs = Math.min(STANDBY_PERIOD_MS, settings.leaseMs / 3);
  await timers.sleep(periodMs, signal).catch(() => undefined);
}

/** Everything that only the active scheduler does; ends when the lease is lost. */
async function runActive(options: LoopOptions, closing: AbortSignal): Promise<void> {
  const { parts, settings, timers } = options;
  const lost = new AbortController();
  const signal = AbortSignal.any([closing, lost.signal]);
  const work = [
    renewLease(options, lost, signal),
    repeatInput(options, settings.snapshotPeriodMs, new Wakeup(timers), signal, (inner) =>
      parts.watcher.takeSnapshot(inner),
    ),
    repeatInput(options, settings.registryPeriodMs, registryWakeup(options), signal, async (inner) => {
      if (await parts.nodes.read(inner)) parts.planning.request();
    }),
    parts.watcher.follow(signal),
    parts.poller.run(signal),
    parts.planning.run(signal),
    // Before lists are sent: some nodes must get none.
    parts.migrations.run(signal),
    parts.dispatcher.run(signal),
    repeat(timers, TELL_PERIOD_MS, signal, () => parts.teller.tell()),
    repeat(timers, KEEP_TIMES_PERIOD_MS, signal, () => parts.intake.keepTimes()),
    ...options.more.map((run) => run(signal)),
  ];
  // A defect of one part ends all: nothing decides on half of what it should know.
  const failed = await Promise.allSettled(
    work.map((part) => part.catch((error: unknown) => fail(lost, error))),
  );
  const defect = failed.find((result) => result.status === "rejected");
  if (defect?.status === "rejected") throw defect.reason;
}

function fail(lost: AbortController, error: unknown): never {
  lost.abort(error);
  throw error;
}

async function renewLease(
  { parts, settings, timers }: LoopOptions,
  lost: AbortController,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await timers.sleep(settings.leaseMs / 3, signal).catch(() => undefined);
    if (!signal.aborted && !parts.lease.renew()) lost.abort();
  }
}

function registryWakeup({ parts, timers }: LoopOptions): Wakeup {
  const wakeup = new Wakeup(timers);
  parts.registryWanted.wake = () => wakeup.wake();
  return wakeup;
}

/** Reads an input again and again; a read that failed is tried again soon, and at last with the period. */
export async function repeatInput(
  { log }: Pick<LoopOptions, "log">,
  periodMs: number,
  wakeup: Wakeup,
  signal: AbortSignal,
  read: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  for (let failures = 0; !signal.aborted; ) {
    try {
      await read(signal);
      failures = 0;
      await wakeup.wait(periodMs, signal);
    } catch (error) {
      if (isAbortOf(signal, error)) return;
      const isExpected =
        isSdkError(error) || error instanceof SchedulerError || error instanceof PlatformError;
      if (!isExpected) throw error;
      log.warn("what the scheduler decides on could not be read; what was read before counts", { error });
      await wakeup.wait(Math.min(FIRST_RETRY_MS * 2 ** failures, periodMs), signal);
      failures = Math.min(failures + 1, 10);
    }
  }
}

async function repeat(
  timers: Timers,
  periodMs: number,
  signal: AbortSignal,
  work: () => void,
): Promise<void> {
  while (!signal.aborted) {
    await timers.sleep(periodMs, signal).catch(() => undefined);
    if (!signal.aborted) work();
  }
}
