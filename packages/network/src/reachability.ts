import type { Clock } from "@twentysix/platform";

export interface ReachabilityOptions {
  /** Whether an address belongs to a public network. */
  readonly isPublic: (address: string) => boolean;
  /** Peers that call back, in the order in which they are to be asked. */
  readonly askable: () => readonly string[];
  /** null: the peer does not try. */
  readonly ask: (peerId: string, address: string) => Promise<boolean | null>;
  readonly clock: Pick<Clock, "monotonicMs">;
}

/** Peers that are asked of one address in one round. */
const MAX_ASKED = 3;
/** What was found is asked again after so long. */
const CONFIRMED_MS = 3_600_000;

/**
 * Which addresses of this node may be announced in a public network: those that a peer has reached. What nobody could
 * try is announced where the operator named it, and else is not; what nobody reached is not.
 */
export class Reachability {
  readonly #options: ReachabilityOptions;
  readonly #confirmedMs = new Map<string, number>();

  constructor(options: ReachabilityOptions) {
    this.#options = options;
  }

  /** @param named those that the operator named */
  async announceable(addresses: readonly string[], named: ReadonlySet<string>): Promise<readonly string[]> {
    const verdicts = await Promise.all(
      addresses.map(async (address) => ({ address, isReached: await this.#isReached(address) })),
    );
    return verdicts.flatMap(({ address, isReached }) => ((isReached ?? named.has(address)) ? [address] : []));
  }

  /** null: nobody could try. */
  async #isReached(address: string): Promise<boolean | null> {
    const { isPublic, askable, ask, clock } = this.#options;
    if (!isPublic(address)) return false;
    const confirmedMs = this.#confirmedMs.get(address);
    if (confirmedMs !== undefined && clock.monotonicMs() - confirmedMs < CONFIRMED_MS) return true;
    let verdict: boolean | null = null;
    for (const peerId of askable().slice(0, MAX_ASKED)) {
      const answer = await ask(peerId, address);
      verdict = answer ?? verdict;
      if (verdict !== true) continue;
      this.#confirmedMs.set(address, clock.monotonicMs());
      return true;
    }
    this.#confirmedMs.delete(address);
    return verdict;
  }
}
