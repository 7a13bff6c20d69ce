import type { StorageNode } from "@twentysix/network";

export interface StorageNodesOptions {
  readonly self: string;
  /** Peers that are connected and keep files. */
  readonly connected: () => readonly string[];
  /** false: it is kept away for what it did. */
  readonly isWelcome: (peerId: string) => boolean;
  readonly domainOf: (peerId: string) => string;
  /** A node that is away for less is still counted on. */
  readonly outageMs: number;
  readonly nowMs: () => number;
}

/** The nodes that files can be counted on with: those that are here, and those that have been away for a short time. */
export class StorageNodes {
  readonly #options: StorageNodesOptions;
  readonly #lastSeenMs = new Map<string, number>();

  constructor(options: StorageNodesOptions) {
    this.#options = options;
  }

  get self(): string {
    return this.#options.self;
  }

  isConnected(peerId: string): boolean {
    return this.#options.connected().includes(peerId);
  }

  all(): readonly StorageNode[] {
    const { self, connected, isWelcome, domainOf, outageMs, nowMs } = this.#options;
    const now = nowMs();
    for (const peerId of connected()) this.#lastSeenMs.set(peerId, now);
    for (const [peerId, seenMs] of this.#lastSeenMs)
      if (now - seenMs >= outageMs) this.#lastSeenMs.delete(peerId);
    const others = [...this.#lastSeenMs.keys()].filter(isWelcome);
    return [self, ...others].map((peerId) => ({ peerId, domain: domainOf(peerId) }));
  }
}
