import { SdkError } from "./errors.ts";
import type { Runtime } from "./runtime.ts";

/** Runs `action` when the signal aborts, at once if it already has; the returned function takes it back. */
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

/** Resolves after `delayMs`; rejects with the signal's reason when it aborts first. */
export function sleep(runtime: Runtime, delayMs: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted === true) return Promise.reject(signal.reason);
  return new Promise((resolve, reject) => {
    const cancel = runtime.schedule(delayMs, () => {
      release();
      resolve();
    });
    const release = onAbort(signal, (reason) => {
      cancel();
      reject(reason);
    });
  });
}

export interface Deadline {
  readonly operation: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The outcome of `work`, an SDK_TIMEOUT error after `timeoutMs`, or the reason of the caller's signal. The
 * signal given to the work aborts in both cases; the result does not wait for the work to notice.
 */
export async function withDeadline<T>(
  runtime: Runtime,
  { operation, timeoutMs, signal }: Deadline,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const controller = new AbortController();
  const cancelTimer = runtime.schedule(timeoutMs, () => {
    const message = `${operation} took longer than ${timeoutMs} ms; allow more time or ask another node`;
    controller.abort(new SdkError("SDK_TIMEOUT", message, { operation, timeoutMs }));
  });
  const release = onAbort(signal, (reason) => controller.abort(reason));
  try {
    return await new Promise<T>((resolve, reject) => {
      onAbort(controller.signal, reject);
      work(controller.signal).then(resolve, reject);
    });
  } finally {
    cancelTimer();
    release();
  }
}
