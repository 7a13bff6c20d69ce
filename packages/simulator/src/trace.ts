import { createHash } from "node:crypto";
import type { Clock } from "@twentysix/platform";

/** Where the lines of a trace go, beside its digest. */
export type TraceSink = (line: string) => void;

const MAX_WAITING = 64 * 1024;

/** Everything that happens in a simulation, line by line. Two runs of one seed have the same digest. */
export class Trace {
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #sink: TraceSink | null;
  readonly #hash = createHash("sha256");
  /** Lines that the hash has not had yet: many short updates of a hash take far longer than a long one. */
  #waiting = "";
  #events = 0;

  constructor(clock: Pick<Clock, "monotonicMs">, sink: TraceSink | null) {
    this.#clock = clock;
    this.#sink = sink;
  }

  add(event: string): void {
    const line = `${this.#clock.monotonicMs().toFixed(3)} ${event}`;
    this.#events += 1;
    this.#waiting += `${line}\n`;
    if (this.#waiting.length > MAX_WAITING) this.#hashWaiting();
    this.#sink?.(line);
  }

  get events(): number {
    return this.#events;
  }

  /** Of all lines so far. */
  digest(): string {
    this.#hashWaiting();
    return this.#hash.copy().digest("hex");
  }

  #hashWaiting(): void {
    this.#hash.update(this.#waiting);
    this.#waiting = "";
  }
}
