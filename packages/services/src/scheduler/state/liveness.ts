/** What is known of a node's life, in memory alone: after a restart it is taken to have been spoken to just now. */
export interface NodeLife {
  /** Polls that failed in a row. */
  readonly failures: number;
  /** Last good answer. */
  readonly lastProofMs: number | null;
  /** Last good list of its machines. */
  readonly lastListMs: number | null;
  /** The last moment at which a signed request may have reached it. */
  readonly lastContactBoundMs: number;
}

/** The lives of all nodes. */
export class Liveness {
  readonly #lives = new Map<string, NodeLife>();
  readonly #onTheirWay = new Map<string, Set<{ readonly latestMs: number }>>();
  #startedAtMs: number;

  /** @param startedAtMs an earlier process may have spoken to any node until then */
  constructor(startedAtMs: number) {
    this.#startedAtMs = startedAtMs;
  }

  /** Another scheduler may have spoken to any node until now. */
  takeOver(atMs: number): void {
    this.#startedAtMs = atMs;
    this.#lives.clear();
  }

  of(nodeHash: string): NodeLife {
    const life = this.#known(nodeHash);
    const latest = [...(this.#onTheirWay.get(nodeHash) ?? [])].map(({ latestMs }) => latestMs);
    return { ...life, lastContactBoundMs: Math.max(life.lastContactBoundMs, ...latest) };
  }

  #known(nodeHash: string): NodeLife {
    return (
      this.#lives.get(nodeHash) ?? {
        failures: 0,
        lastProofMs: null,
        lastListMs: null,
        lastContactBoundMs: this.#startedAtMs,
      }
    );
  }

  /**
   * A signed request is on its way to a node, and may reach it until `latestMs`, whether it is answered or not. The
   * returned function says that it has ended: what was broken off arrives no more.
   */
  contacting(nodeHash: string, latestMs: number): (endedMs: number) => void {
    const requests = this.#onTheirWay.get(nodeHash) ?? new Set();
    this.#onTheirWay.set(nodeHash, requests);
    const request = { latestMs };
    requests.add(request);
    return (endedMs) => {
      requests.delete(request);
      if (requests.size === 0) this.#onTheirWay.delete(nodeHash);
      const life = this.#known(nodeHash);
      const boundMs = Math.max(life.lastContactBoundMs, Math.min(endedMs, latestMs));
      this.#lives.set(nodeHash, { ...life, lastContactBoundMs: boundMs });
    };
  }

  answered(nodeHash: string, atMs: number, isList: boolean): void {
    const life = this.#known(nodeHash);
    this.#lives.set(nodeHash, {
      ...life,
      failures: 0,
      lastProofMs: Math.max(life.lastProofMs ?? 0, atMs),
      lastListMs: isList ? atMs : life.lastListMs,
    });
  }

  /** It is no node any more, and nothing that counts runs there. */
  forget(nodeHash: string): void {
    if (!this.#onTheirWay.has(nodeHash)) this.#lives.delete(nodeHash);
  }

  failed(nodeHash: string): number {
    const life = this.#known(nodeHash);
    this.#lives.set(nodeHash, { ...life, failures: life.failures + 1 });
    return life.failures + 1;
  }
}
