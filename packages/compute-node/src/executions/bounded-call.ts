import { onAbort, raceAbort, type Timers } from "@twentysix/platform";

/** How long work that was told to end may still take before it is left behind. */
const ENDING_MS = 30_000;

/**
 * Runs work under a time limit. Unlike a race, it waits for the work to end after it was told to: two pieces of work on
 * one machine never overlap. What does not end at all is given up after another 30 s.
 *
 * @throws what the work throws; the reason of the signal; the error that `onTimeout` makes
 */
export async function boundedCall<Result>(
  timers: Timers,
  timeoutMs: number,
  signal: AbortSignal,
  onTimeout: () => Error,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  signal.throwIfAborted();
  const ending = new AbortController();
  const abandoned = new AbortController();
  let cancelEnding = (): void => {};
  const end = (reason: unknown): void => {
    if (ending.signal.aborted) return;
    ending.abort(reason);
    cancelEnding = timers.schedule(ENDING_MS, () => abandoned.abort(reason));
  };
  const cancelTimeout = timers.schedule(timeoutMs, () => end(onTimeout()));
  const release = onAbort(signal, end);
  try {
    const result = await raceAbort(Promise.try(work, ending.signal), abandoned.signal);
    return result;
  } catch (error) {
    // Whatever the work says after it was told to end, the reason of the end is what happened.
    throw ending.signal.aborted ? ending.signal.reason : error;
  } finally {
    release();
    cancelTimeout();
    cancelEnding();
  }
}
