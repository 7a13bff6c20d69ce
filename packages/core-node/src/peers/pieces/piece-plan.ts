/** Leaves that are asked for in one request. */
const SPAN_LEAVES = 16;

/** Leaves that follow each other, `to` not included. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** Which leaves of a file are still to be got, and from whom. */
export class PiecePlan {
  readonly #wanted: Set<number>;
  /** Leaves that somebody sent otherwise than the claim says: whoever made the claim has to show them. */
  readonly #disputed = new Set<number>();
  readonly #claimant: string;

  constructor(wanted: Iterable<number>, claimant: string) {
    this.#wanted = new Set(wanted);
    this.#claimant = claimant;
  }

  /** Leaves that a peer is to send now; null: there are none for it. */
  take(peerId: string): Span | null {
    const mayBeAsked = (index: number): boolean =>
      this.#wanted.has(index) && (peerId === this.#claimant || !this.#disputed.has(index));
    const from = [...this.#wanted].find(mayBeAsked);
    if (from === undefined) return null;
    let to = from;
    while (to - from < SPAN_LEAVES && mayBeAsked(to)) to += 1;
    for (let index = from; index < to; index += 1) this.#wanted.delete(index);
    return { from, to };
  }

  /** They did not come. */
  giveBack({ from, to }: Span): void {
    for (let index = from; index < to; index += 1) this.#wanted.add(index);
  }

  dispute(index: number): void {
    this.#disputed.add(index);
  }

  /** Leaves are in dispute and nobody is getting them. */
  get isDisputed(): boolean {
    return [...this.#disputed].some((index) => this.#wanted.has(index));
  }
}
