import { open, readFile, rename } from "node:fs/promises";
import { isRecord } from "./is-record.ts";

/** A peer that was heard of. */
export interface KnownPeer {
  readonly peerId: string;
  /** Where its libp2p host answers, newest first; without its name at the end. */
  readonly addresses: readonly string[];
  /** Where its API answers; null: not known. */
  readonly apiUrl: string | null;
  readonly lastSeenMs: number;
}

/** Where a peer book is kept between two starts. */
export interface PeerBookFile {
  read(): Promise<readonly KnownPeer[]>;
  write(peers: readonly KnownPeer[]): Promise<void>;
}

/** Peers that are remembered, and addresses of each. */
const MAX_PEERS = 2_000;
const MAX_ADDRESSES = 8;

/** The peers of which this node knows where they are. The one seen least recently is forgotten first. */
export class PeerBook {
  readonly #peers = new Map<string, KnownPeer>();

  constructor(peers: readonly KnownPeer[] = []) {
    for (const peer of peers.toSorted((a, b) => a.lastSeenMs - b.lastSeenMs)) this.#put(peer);
  }

  get(peerId: string): KnownPeer | undefined {
    return this.#peers.get(peerId);
  }

  all(): readonly KnownPeer[] {
    return [...this.#peers.values()];
  }

  /** A peer was heard of there. */
  seen(peerId: string, where: { readonly address?: string; readonly apiUrl?: string }, nowMs: number): void {
    const known = this.#peers.get(peerId);
    const { address, apiUrl = known?.apiUrl ?? null } = where;
    const others = (known?.addresses ?? []).filter((one) => one !== address);
    const addresses = (address === undefined ? others : [address, ...others]).slice(0, MAX_ADDRESSES);
    this.#put({ peerId, addresses, apiUrl, lastSeenMs: nowMs });
  }

  forget(peerId: string): void {
    this.#peers.delete(peerId);
  }

  /** Forgets those that were not seen for so long. */
  expire(olderThanMs: number): void {
    for (const [peerId, { lastSeenMs }] of this.#peers)
      if (lastSeenMs < olderThanMs) this.#peers.delete(peerId);
  }

  #put(peer: KnownPeer): void {
    // The order of the map is that of the last sign of life.
    this.#peers.delete(peer.peerId);
    this.#peers.set(peer.peerId, peer);
    for (const peerId of this.#peers.keys()) {
      if (this.#peers.size <= MAX_PEERS) return;
      this.#peers.delete(peerId);
    }
  }
}

/** A peer book in a file. One that cannot be read is no loss: peers are heard of again. */
export function peerBookFile(path: string, onUnreadable: (error: unknown) => void): PeerBookFile {
  /** One write after the other: they share a file on the way, and a node that stops writes while it may be writing. */
  let written: Promise<unknown> = Promise.resolve();
  return {
    async read() {
      try {
        const parsed: unknown = JSON.parse(await readFile(path, "utf8"));
        return Array.isArray(parsed) ? parsed.filter(isKnownPeer) : [];
      } catch (error) {
        if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) onUnreadable(error);
        return [];
      }
    },
    write(peers) {
      const turn = written.then(() => writeBook(path, peers));
      // Whoever asked for it hears of a failure; the next write does not depend on it.
      written = turn.catch(() => undefined);
      return turn;
    },
  };
}

async function writeBook(path: string, peers: readonly KnownPeer[]): Promise<void> {
  const file = await open(`${path}.new`, "w", 0o600);
  try {
    await file.writeFile(`${JSON.stringify(peers)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
}

function isKnownPeer(value: unknown): value is KnownPeer {
  if (!isRecord(value)) return false;
  const { peerId, addresses, apiUrl, lastSeenMs } = value;
  return (
    typeof peerId === "string" &&
    Array.isArray(addresses) &&
    addresses.every((address) => typeof address === "string") &&
    (apiUrl === null || typeof apiUrl === "string") &&
    typeof lastSeenMs === "number"
  );
}
