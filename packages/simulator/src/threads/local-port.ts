import type { ThreadPort } from "@twentysix/core-node/simulated";
import { copyOf } from "./copy-of.ts";

/** When a message arrives that is sent now: calls back then. */
export type Deliver = (arrive: () => void) => void;

type Listener = (message: unknown) => void;

/** One end of a channel within this thread. What is sent is copied, as between threads, and arrives a little later. */
export class LocalPort implements ThreadPort<unknown, unknown> {
  readonly #deliver: Deliver;
  readonly #onFailure: (error: unknown) => void;
  readonly #arrived: unknown[] = [];
  readonly #listeners: Listener[] = [];
  #other: LocalPort | null = null;
  #isClosed = false;

  /**
   * @param deliver carries what is sent from this end
   * @param onFailure told of what the listeners at this end throw
   */
  constructor(deliver: Deliver, onFailure: (error: unknown) => void) {
    this.#deliver = deliver;
    this.#onFailure = onFailure;
  }

  static connect(one: LocalPort, other: LocalPort): void {
    one.#other = other;
    other.#other = one;
  }

  /** @param transfer memory alone: here no thread ends early, so that none hands its channels on */
  postMessage(message: unknown, transfer: readonly object[] = []): void {
    const copy =
      transfer.length === 0
        ? copyOf(message)
        : structuredClone(message, { transfer: [...transfer] as ArrayBuffer[] });
    const other = this.#other;
    this.#deliver(() => other?.arrive(copy));
  }

  on(_event: "message", listener: Listener): void {
    this.#listeners.push(listener);
    while (this.#arrived.length > 0) this.#tell(this.#arrived.shift());
  }

  close(): void {
    this.#isClosed = true;
  }

  /** For the other end. */
  arrive(message: unknown): void {
    if (this.#isClosed) return;
    if (this.#listeners.length === 0) this.#arrived.push(message);
    else this.#tell(message);
  }

  #tell(message: unknown): void {
    try {
      for (const listener of this.#listeners) listener(message);
    } catch (error) {
      this.#onFailure(error);
    }
  }
}
