import { encodeHex, encodeItemHash } from "@twentysix/protocol";
import type { Visit } from "./visit.ts";

export interface WitnessesOptions {
  /** Peers to be asked, those that come first first. */
  readonly peers: readonly string[];
  /** null when the peer does not answer. */
  readonly open: (peerId: string) => Promise<Visit | null>;
}

/** Peers asked about one another's forgotten messages. */
export const MAX_WITNESSES = 3;
const KEYS_AT_ONCE = 1_024;

/**
 * Nothing that is left of a forgotten message proves whose it was (docs/decisions/0005-exported-files.md), so one peer
 * could make this node believe anything forgotten that it has not seen yet. What a peer tells is believed when more
 * of the peers that know the message have the same digest for it than have another one, itself counted. Where nobody
 * else is connected its word stands.
 */
export class Witnesses {
  readonly #options: WitnessesOptions;
  #visits: Promise<readonly Visit[]> | null = null;

  constructor(options: WitnessesOptions) {
    this.#options = options;
  }

  /** Those of the forgotten messages that the others confirm. */
  async confirm(teller: Visit, itemHashes: readonly string[]): Promise<ReadonlySet<string>> {
    this.#visits ??= this.#openAll();
    const others = await this.#visits;
    const believed = new Set<string>();
    for (let at = 0; at < itemHashes.length; at += KEYS_AT_ONCE) {
      const hashes = itemHashes.slice(at, at + KEYS_AT_ONCE);
      const keys = hashes.map((hash) => encodeHex(encodeItemHash(hash)));
      const told = await teller.digests(keys);
      const answers = await Promise.all(others.map((other) => answersOf(other, keys)));
      hashes.forEach((hash, index) => {
        const digest = told[index] ?? null;
        const votes = answers.flatMap((answer) => answer[index] ?? []);
        const same = 1 + votes.filter((vote) => vote === digest).length;
        if (digest !== null && same > votes.length + 1 - same) believed.add(hash);
      });
    }
    return believed;
  }

  async close(): Promise<void> {
    for (const visit of (await this.#visits) ?? []) visit.abort(new Error("the visit is over"));
  }

  async #openAll(): Promise<readonly Visit[]> {
    const visits: Visit[] = [];
    for (const peerId of this.#options.peers) {
      if (visits.length >= MAX_WITNESSES) break;
      const visit = await this.#options.open(peerId);
      if (visit !== null) visits.push(visit);
    }
    return visits;
  }
}

/** A witness that fails says nothing. */
async function answersOf(witness: Visit, keys: readonly string[]): Promise<readonly (string | null)[]> {
  try {
    return await witness.digests(keys);
  } catch {
    return [];
  }
}
