import type { Clock } from "@twentysix/platform";
import { ExecutionError, type ExecutionErrorCode } from "./errors.ts";

/** Delay before the n-th start after n failures in a row: 5 s, 10 s, 20 s … 10 min. */
const INITIAL_MS = 5_000;
const MAX_MS = 600_000;
/** A machine that ran so long has recovered: what fails after that is a first failure. */
const STABLE_MS = 600_000;

/** Starting again does not help, until somebody changes something. */
const LASTING: ReadonlySet<ExecutionErrorCode> = new Set<ExecutionErrorCode>([
  "REQUIREMENTS_NOT_MET",
  "IMAGE_INVALID",
  "VOLUME_INVALID",
  "UNSUPPORTED",
  "NO_CAPACITY",
  "NOT_FOUND",
]);

/** Nothing of the machine has failed: it is started as soon as this has passed. */
const PASSING: ReadonlySet<ExecutionErrorCode> = new Set<ExecutionErrorCode>(["HOST_IMAGES_MISSING"]);

export function isLasting(error: ExecutionError): boolean {
  return LASTING.has(error.code);
}

interface Failures {
  readonly count: number;
  readonly error: ExecutionError;
  readonly nextStartAtMs: number;
}

/** How often each machine failed in a row, and when it may be started again. In memory: a new node tries at once. */
export class BackOff {
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #failures = new Map<string, Failures>();

  constructor(clock: Pick<Clock, "monotonicMs">) {
    this.#clock = clock;
  }

  /**
   * Counts a failure. A program that crashes for the first time may be started at once: its next caller shall not
   * suffer for the last one.
   *
   * @returns milliseconds until the next start
   */
  failed(vmHash: string, error: ExecutionError, facts: { readonly ranMs: number | null }): number {
    const before = this.#failures.get(vmHash);
    const isRecovered =
      (facts.ranMs !== null && facts.ranMs >= STABLE_MS) ||
      (before !== undefined && PASSING.has(before.error.code));
    const count = (isRecovered ? 0 : (before?.count ?? 0)) + 1;
    const isFirstCrash = facts.ranMs !== null && count === 1;
    const growth = PASSING.has(error.code) ? 1 : 2 ** (count - 1);
    const delayMs = isFirstCrash ? 0 : Math.min(INITIAL_MS * growth, MAX_MS);
    const nextStartAtMs = this.#clock.monotonicMs() + delayMs;
    this.#failures.set(vmHash, { count, error, nextStartAtMs });
    return delayMs;
  }

  /** The last failure while its delay lasts; null: it may be started. */
  blocking(vmHash: string): ExecutionError | null {
    const failures = this.#failures.get(vmHash);
    if (failures === undefined || this.#clock.monotonicMs() >= failures.nextStartAtMs) return null;
    const seconds = Math.ceil((failures.nextStartAtMs - this.#clock.monotonicMs()) / 1_000);
    const { count, error } = failures;
    const text = `${error.message} (failed ${count} times in a row; next start in ${seconds} s)`;
    return new ExecutionError(error.code, text, { cause: error });
  }

  forget(vmHash: string): void {
    this.#failures.delete(vmHash);
  }
}
