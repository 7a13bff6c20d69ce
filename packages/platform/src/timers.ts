import { isAbortOf, onAbort } from "./abort.ts";
import { PlatformError } from "./errors.ts";

/** Calls back once after `delayMs` and returns the function that cancels it. The one primitive of all timers. */
export type Schedule = (delayMs: number, callback: () => void) => () => void;

export interface EveryOptions {
  /** Ends the repetition; also handed to the task. */
  readonly signal: AbortSignal;
  /** Told of every failure of the task; the repetition goes on. Required: a failure is never swallowed. */
  readonly onError: (error: unknown) => void;
  /** Run the first time at once instead of after one period. */
  readonly immediately?: boolean;
}

/** Everything that waits for time to pass. */
export interface Timers {
  /** Resolves after `delayMs`; rejects with the signal's reason when it aborts first. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
  /**
   * Runs `task` again and again, `periodMs` after the previous run ended (runs never overlap). The promise
   * resolves once the signal has aborted and the last run has ended: close by aborting and awaiting it.
   */
  every(
    periodMs: number,
    task: (signal: AbortSignal) => Promise<void> | void,
    options: EveryOptions,
  ): Promise<void>;
  /**
   * The outcome of `work`, or a `PlatformError` with code TIMEOUT after `timeoutMs`. The signal given to the
   * work aborts on the time-out and on the caller's own signal.
   */
  withTimeout<T>(
    timeoutMs: number,
    work: (signal: AbortSignal) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T>;
  /** Calls back once after `delayMs`; the returned function cancels it. */
  schedule: Schedule;
}

/** Timers over any scheduling primitive: the machine's or a virtual one. */
export function createTimers(schedule: Schedule): Timers {
  const sleep = (delayMs: number, signal?: AbortSignal): Promise<void> =>
    sleepWith(schedule, delayMs, signal);
  return {
    schedule,
    sleep,
    every: (periodMs, task, options) => repeat(sleep, periodMs, task, options),
    withTimeout: (timeoutMs, work, signal) => limitTime(schedule, timeoutMs, work, signal),
  };
}

function sleepWith(schedule: Schedule, delayMs: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted === true) return Promise.reject(signal.reason);
  return new Promise((resolve, reject) => {
    const cancel = schedule(delayMs, () => {
      release();
      resolve();
    });
    const release = onAbort(signal, (reason) => {
      cancel();
      reject(reason);
    });
  });
}

async function repeat(
  sleep: Timers["sleep"],
  periodMs: number,
  task: (signal: AbortSignal) => Promise<void> | void,
  { signal, onError, immediately = false }: EveryOptions,
): Promise<void> {
  let isFirst = true;
  while (!signal.aborted) {
    if (!(isFirst && immediately) && !(await sleptFully(sleep, periodMs, signal))) return;
    isFirst = false;
    try {
      await task(signal);
    } catch (error) {
      if (!isAbortOf(signal, error)) onError(error);
    }
  }
}

async function sleptFully(sleep: Timers["sleep"], delayMs: number, signal: AbortSignal): Promise<boolean> {
  return sleep(delayMs, signal).then(
    () => true,
    () => false,
  );
}

function limitTime<T>(
  schedule: Schedule,
  timeoutMs: number,
  work: (signal: AbortSignal) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  if (signal?.aborted === true) return Promise.reject(signal.reason);
  const controller = new AbortController();
  return new Promise<T>((resolve, reject) => {
    const settle = (): void => {
      release();
      cancel();
    };
    const stop = (reason: unknown): void => {
      // The caller's listener and the timer must go at once, even if the work never ends.
      settle();
      controller.abort(reason);
      reject(reason);
    };
    const release = onAbort(signal, stop);
    const cancel = schedule(timeoutMs, () => {
      stop(new PlatformError("TIMEOUT", `gave up after ${timeoutMs} ms`, { timeoutMs }));
    });
    Promise.try(work, controller.signal).then(resolve, reject).finally(settle);
  });
}
