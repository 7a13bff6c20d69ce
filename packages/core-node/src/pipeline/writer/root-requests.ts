import type { Clock, Timers } from "@twentysix/platform";
import type { StateRoot, StateTree } from "@twentysix/storage/writer";

export interface RootRequestsOptions {
  readonly tree: Pick<StateTree, "advance" | "isSweeping" | "lag" | "root" | "relieve">;
  readonly answer: (requestId: number, root: StateRoot) => void;
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly timers: Pick<Timers, "schedule">;
  /** The trees have rested: the loop should look. */
  readonly onDue: () => void;
}

/** So few events are caught up with at once, between two batches. */
const FEW_EVENTS = 512;
/** To follow each commit by itself costs more than the commit: a few events wait for others. */
const REST_MS = 500;

/**
 * Questions for the state root. The trees may be far behind the log, so they catch up in slices while batches go on,
 * and the question is answered when little is left. In idle time they follow by themselves, twice a second at most.
 */
export class RootRequests {
  readonly #options: RootRequestsOptions;
  #waiting: number[] = [];
  #restsUntilMs = 0;
  #cancel: (() => void) | null = null;

  constructor(options: RootRequestsOptions) {
    this.#options = options;
  }

  add(requestId: number): void {
    this.#waiting.push(requestId);
  }

  /** A slice after a batch, when too much has piled up or somebody asks. */
  afterBatch(): void {
    const { tree } = this.#options;
    if (this.#waiting.length === 0) {
      tree.relieve();
      return;
    }
    tree.advance();
    if (tree.lag <= FEW_EVENTS) this.#answerAll();
  }

  /** A slice in idle time; false when there was nothing to do by now. */
  advance(): boolean {
    const { tree, clock } = this.#options;
    if (this.#waiting.length === 0 && this.#rests()) return false;
    if (tree.advance()) {
      this.#restsUntilMs = clock.monotonicMs() + REST_MS;
      return true;
    }
    if (this.#waiting.length === 0) return false;
    this.#answerAll();
    return true;
  }

  close(): void {
    this.#cancel?.();
  }

  /** A sweep that has begun, or much that waits, is gone on with. */
  #rests(): boolean {
    const { tree, clock, timers, onDue } = this.#options;
    const leftMs = this.#restsUntilMs - clock.monotonicMs();
    if (leftMs <= 0 || tree.isSweeping || tree.lag > FEW_EVENTS) return false;
    this.#cancel ??= timers.schedule(leftMs, () => {
      this.#cancel = null;
      onDue();
    });
    return true;
  }

  #answerAll(): void {
    const { tree, answer } = this.#options;
    const waiting = this.#waiting;
    this.#waiting = [];
    const root = tree.root();
    for (const requestId of waiting) answer(requestId, root);
  }
}
