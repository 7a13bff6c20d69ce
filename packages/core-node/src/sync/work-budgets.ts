/** Share of the time for which this node works for one visitor, once its credit is used up. */
const SHARE = 1 / 2;
const MAX_CREDIT_MS = 2_000;
const MAX_PEERS = 1_024;

interface Account {
  readonly creditMs: number;
  readonly atMs: number;
}

/**
 * How long this node may read for one visitor: a catch-up takes a fifth of the time, and whoever asks for more than
 * half of it waits, so that a flood of questions leaves the reader thread to others.
 */
export class WorkBudgets {
  readonly #accounts = new Map<string, Account>();

  /** Books work for a visitor; gives how long it is to wait before the next. */
  spend(peerId: string, workMs: number, nowMs: number): number {
    const { creditMs, atMs } = this.#accounts.get(peerId) ?? { creditMs: MAX_CREDIT_MS, atMs: nowMs };
    const left = Math.min(MAX_CREDIT_MS, creditMs + (nowMs - atMs) * SHARE) - workMs;
    this.#accounts.delete(peerId);
    this.#accounts.set(peerId, { creditMs: left, atMs: nowMs });
    const [oldest] = this.#accounts.keys();
    if (this.#accounts.size > MAX_PEERS && oldest !== undefined) this.#accounts.delete(oldest);
    return left >= 0 ? 0 : Math.ceil(-left / SHARE);
  }
}
