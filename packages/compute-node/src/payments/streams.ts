import { attoOf } from "./payment-terms.ts";

/** Reads token streams of a chain. Source: the constant flow agreement of Superfluid. */
export interface StreamReader {
  /** Chains that can be read; a machine paid on another one is refused. */
  readonly chains: readonly string[];
  /**
   * Atto-tokens a second that flow from one address to another.
   *
   * @throws when the chain cannot be read: nothing is stopped for that
   */
  flow(chain: string, sender: string, receiver: string, signal: AbortSignal): Promise<bigint>;
}

/** Where the share of the community goes, from the network's settings; null: there is none. */
export interface CommunityShare {
  readonly wallet: string;
  /** Machines started after this, Unix seconds, pay it. */
  readonly sinceSeconds: number;
}

/** 10^-10 tokens a second: what rounding of clients may be short of. */
export const STREAM_BUFFER_ATTO = 100_000_000n;

export interface StreamDues {
  readonly nodeAtto: bigint;
  readonly communityAtto: bigint;
}

export interface StreamedMachine {
  /** Decimal text, tokens a second. */
  readonly cost: string;
  /** null: just now. */
  readonly startedAtMs: number | null;
}

/**
 * What has to flow for some machines of one payer: a fifth to the community of those that started after its date, the
 * rest to the node; both rounded down to 18 places. Source: aleph-vm `payment.py`.
 */
export function streamDues(
  machines: readonly StreamedMachine[],
  community: CommunityShare | null,
  nowMs: number,
): StreamDues {
  let shared = 0n;
  let whole = 0n;
  for (const { cost, startedAtMs } of machines) {
    const isShared = community !== null && (startedAtMs ?? nowMs) > community.sinceSeconds * 1_000;
    if (isShared) shared += attoOf(cost);
    else whole += attoOf(cost);
  }
  return { nodeAtto: (shared * 4n) / 5n + whole, communityAtto: shared / 5n };
}

/** A chain of streams comes with its client; until then there are none. */
export const NO_STREAMS: StreamReader = {
  chains: [],
  flow: (chain) => Promise.reject(new Error(`this node reads no streams of ${chain}`)),
};
