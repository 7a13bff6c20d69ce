/**
 * Runs `onAbort` once when the signal aborts and returns the function that takes the listener away.
 * An already aborted signal runs it at once: a listener added afterwards would never fire.
 */
export function onAbort(signal: AbortSignal | undefined, action: (reason: unknown) => void): () => void {
  if (signal === undefined) return () => {};
  if (signal.aborted) {
    action(signal.reason);
    return () => {};
  }
  const listener = (): void => action(signal.reason);
  signal.addEventListener("abort", listener, { once: true });
  return () => signal.removeEventListener("abort", listener);
}

/**
 * The outcome of `work`, or a rejection with the signal's reason if that comes first. The work itself is not
 * stopped (give it the same signal for that); its later failure is the caller's no more and is observed here.
 */
export function raceAbort<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  return new Promise<T>((resolve, reject) => {
    const release = onAbort(signal, reject);
    work.then(resolve, reject).finally(release);
  });
}

/** Whether an error only says that the signal aborted: its reason, or the runtime's wrapping of it. */
export function isAbortOf(signal: AbortSignal, error: unknown): boolean {
  if (!signal.aborted) return false;
  return error === signal.reason || (error instanceof Error && error.cause === signal.reason);
}
