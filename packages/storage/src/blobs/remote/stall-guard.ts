import type { Timers } from "@twentysix/platform";
import { abortable } from "../byte-source.ts";
import { RemoteFailure } from "./remote-failure.ts";

/** Longest silence of a server while bytes go to it or come from it. */
export const STALL_MS = 30_000;

/**
 * Ends a transfer that does not move: `signal` aborts when `moved` was not called for `STALL_MS`, or when the signal
 * of the caller does.
 */
export class StallGuard implements Disposable {
  readonly signal: AbortSignal;
  readonly #timers: Pick<Timers, "schedule">;
  readonly #stalled = new AbortController();
  #cancel: () => void = () => undefined;

  constructor(timers: Pick<Timers, "schedule">, signal: AbortSignal) {
    this.#timers = timers;
    this.signal = AbortSignal.any([signal, this.#stalled.signal]);
    this.moved();
  }

  moved(): void {
    this.#cancel();
    this.#cancel = this.#timers.schedule(STALL_MS, () => {
      this.#stalled.abort(new RemoteFailure("timeout", `nothing moved for ${STALL_MS} ms`));
    });
  }

  /** The same bytes; each piece that is taken is a movement. */
  async *watch(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const piece of abortable(bytes, this.signal)) {
      this.moved();
      yield piece;
      this.moved();
    }
  }

  [Symbol.dispose](): void {
    this.#cancel();
  }
}
