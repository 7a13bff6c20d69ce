import type { EvmReads } from "../evm/evm-reads.ts";

/** Where a time falls among the blocks of a chain. */
export type BlockOfTime =
  | { readonly kind: "block"; readonly height: number }
  /** No block of that time, or after it, is final yet. */
  | { readonly kind: "notYet" }
  /** The chain is younger. */
  | { readonly kind: "before" };

export interface BlockTimesOptions {
  readonly reads: Pick<EvmReads, "head" | "blockTimeSeconds">;
  /** Blocks that stand on top of a final one. */
  readonly finalityDepth: number;
}

/** Final blocks whose times are remembered: they never change. */
const MAX_REMEMBERED = 4_096;

/** Finds the block that was the newest at a time, among those that are final: the same one on every node. */
export class BlockTimes {
  readonly #options: BlockTimesOptions;
  readonly #times = new Map<number, number>();
  #final: number | null = null;

  constructor(options: BlockTimesOptions) {
    this.#options = options;
  }

  /** Looks where the chain is now; until then it is where it was. @throws ChainError */
  async refresh(): Promise<void> {
    const { reads, finalityDepth } = this.#options;
    this.#final = (await reads.head()) - finalityDepth;
  }

  /** The last block whose time is not after that one. @throws ChainError */
  async blockOf(timeMicros: bigint): Promise<BlockOfTime> {
    if (this.#final === null) await this.refresh();
    const last = this.#final ?? -1;
    const seconds = Number(timeMicros / 1_000_000n);
    // A later block must be final: before, another one of that time may still come.
    if (last < 0 || (await this.#timeOf(last)) <= seconds) return { kind: "notYet" };
    if ((await this.#timeOf(0)) > seconds) return { kind: "before" };
    let low = 0;
    let high = last;
    for (let steps = 0; high - low > 1; steps += 1) {
      const middle = await this.#between(low, high, seconds, steps);
      if ((await this.#timeOf(middle)) <= seconds) low = middle;
      else high = middle;
    }
    return { kind: "block", height: low };
  }

  /** Blocks come at a nearly even pace, so that a few guesses find one of millions; every other one halves the rest. */
  async #between(low: number, high: number, seconds: number, steps: number): Promise<number> {
    const half = low + Math.floor((high - low) / 2);
    if (steps % 2 === 1) return half;
    const [first, last] = [await this.#timeOf(low), await this.#timeOf(high)];
    const guess = low + Math.floor(((seconds - first) / (last - first)) * (high - low));
    return Math.min(Math.max(guess, low + 1), high - 1);
  }

  async #timeOf(height: number): Promise<number> {
    const known = this.#times.get(height);
    if (known !== undefined) return known;
    const seconds = await this.#options.reads.blockTimeSeconds(height);
    if (this.#times.size >= MAX_REMEMBERED) this.#times.clear();
    this.#times.set(height, seconds);
    return seconds;
  }
}
