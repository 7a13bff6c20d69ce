import type { StateRoot, StateTree } from "@twentysix/storage/writer";

/** So few events are caught up with at once, between two batches. */
const FEW_EVENTS = 512;

/**
 * Questions for the state root. The trees may be far behind the log, so they catch up in slices while batches go on,
 * and the question is answered when little is left.
 */
export class RootRequests {
  readonly #tree: Pick<StateTree, "advance" | "lag" | "root" | "relieve">;
  readonly #answer: (requestId: number, root: StateRoot) => void;
  #waiting: number[] = [];

  constructor(
    tree: Pick<StateTree, "advance" | "lag" | "root" | "relieve">,
    answer: (requestId: number, root: StateRoot) => void,
  ) {
    this.#tree = tree;
    this.#answer = answer;
  }

  add(requestId: number): void {
    this.#waiting.push(requestId);
  }

  /** A slice after a batch, when too much has piled up or somebody asks. */
  afterBatch(): void {
    if (this.#waiting.length === 0) {
      this.#tree.relieve();
      return;
    }
    this.#tree.advance();
    if (this.#tree.lag <= FEW_EVENTS) this.#answerAll();
  }

  /** A slice in idle time; false when there was nothing to do. */
  advance(): boolean {
    if (this.#tree.advance()) return true;
    if (this.#waiting.length === 0) return false;
    this.#answerAll();
    return true;
  }

  #answerAll(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    const root = this.#tree.root();
    for (const requestId of waiting) this.#answer(requestId, root);
  }
}
