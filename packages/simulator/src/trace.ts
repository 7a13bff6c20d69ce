import { createHash } from "node:crypto";
import type { Clock } from "@twentysix/platform";

/** Where the lines of a trace go, beside its digest. */
export type TraceSink = (line: string) => void;

/** Everything that happens in a simulation, line by line. Two runs of one seed have the same digest. */
export class Trace {
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #sink: TraceSink | null;
  readonly #hash = createHash("sha256");
  #events = 0;

  constructor(clock: Pick<Clock, "monotonicMs">, sink: TraceSink | null) {
    this.#clock = clock;
    this.#sink = sink;
  }

  add(event: string): void {
    const line = `${this.#clock.monotonicMs().toFixed(3)} ${event}`;
    this.#events += 1;
    this.#hash.update(line).update("\n");
    this.#sink?.(line);
  }

  get events(): number {
    return this.#events;
  }

  /** Of all lines so far. */
  digest(): string {
    return this.#hash.copy().digest("hex");
  }
}
