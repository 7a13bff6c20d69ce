import type { Runtime } from "./runtime.ts";

export interface BackOff {
  /** Delay before the first repetition. */
  readonly initialMs: number;
  readonly maxMs: number;
}

/** Exponential delay before repetition `attempt` (from 0): between half and the whole of the step, at random. */
export function backOffDelayMs(runtime: Runtime, { initialMs, maxMs }: BackOff, attempt: number): number {
  const stepMs = Math.min(initialMs * 2 ** attempt, maxMs);
  return stepMs * (0.5 + runtime.random() / 2);
}
