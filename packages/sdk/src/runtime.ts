/**
 * What the package needs of the machine beside fetch and WebSocket. Inject another one to run under virtual
 * time.
 */
export interface Runtime {
  /** Microseconds since the Unix epoch. */
  nowMicros(): bigint;
  /** Uniform in [0, 1). For spreading retries only, never for secrets. */
  random(): number;
  /** Calls back once after `delayMs`; the returned function cancels it. */
  schedule(delayMs: number, callback: () => void): () => void;
}

/** The platform's own clock, timers and chance: the one place of this package that touches them. */
export const systemRuntime: Runtime = {
  nowMicros: () => BigInt(Date.now()) * 1000n,
  random: () => Math.random(),
  schedule: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};
