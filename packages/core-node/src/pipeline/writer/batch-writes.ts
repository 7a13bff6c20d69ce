import type { RequeuedCopy, World } from "@twentysix/state";
import type { MessageStore, Origin } from "@twentysix/storage";
import type { Submission } from "./submission.ts";

/** How a copy came in. */
export interface Reception {
  readonly origin: Origin;
  readonly receptionMicros: bigint;
}

/**
 * The writes of a batch beside those of the world: each refers to rows of items, so they wait until the world
 * is saved.
 */
export class BatchWrites {
  readonly #store: MessageStore;
  readonly #world: World;
  readonly #nowMicros: bigint;
  readonly #submissions = new Map<string, Submission>();
  #deferred: (() => void)[] = [];

  constructor(store: MessageStore, world: World, nowMicros: bigint) {
    this.#store = store;
    this.#world = world;
    this.#nowMicros = nowMicros;
  }

  /** Remembers how a copy came in, for when it is stored. */
  expect(submission: Submission): void {
    this.#submissions.set(submission.raw, submission);
  }

  /** A copy that no submission of the batch brought was known before. */
  receptionOf(envelopeText: string): Reception {
    const submission = this.#submissions.get(envelopeText);
    if (submission === undefined) return { origin: "p2p", receptionMicros: this.#nowMicros };
    return { origin: submission.origin, receptionMicros: submission.receptionMicros };
  }

  defer(write: () => void): void {
    this.#deferred.push(write);
  }

  /** Writes everything so far, so that look-ups see it. */
  flush(requeue: (copy: RequeuedCopy) => void): void {
    do {
      this.#store.save(this.#world, {
        nowMicros: this.#nowMicros,
        originOf: (text) => this.receptionOf(text),
        requeue,
      });
      const deferred = this.#deferred;
      this.#deferred = [];
      for (const write of deferred) write();
    } while (this.#world.isDirty || this.#deferred.length > 0);
  }
}
