/** Share of the time for which this node works for one visitor, and for all of them, once the credit is used up. */
const SHARE = 1 / 2;
const MAX_CREDIT_MS = 2_000;
const MAX_CREDIT_OF_ALL_MS = 5_000;
const MAX_PEERS = 1_024;

interface Account {
  readonly creditMs: number;
  readonly atMs: number;
}

/**
 * How long this node may read for one visitor: a catch-up takes a fifth of the time, and whoever asks for more than
 * half of it waits, so that a flood of questions leaves the reader thread to others, whatever names it comes by.
 */
export class WorkBudgets {
  readonly #accounts = new Map<string, Account>();
  #all: Account | undefined;

  /** Books work for a visitor; gives how long it is to wait before the next. */
  spend(peerId: string, workMs: number, nowMs: number): number {
    const own = spent(this.#accounts.get(peerId), workMs, nowMs, MAX_CREDIT_MS);
    this.#all = spent(this.#all, workMs, nowMs, MAX_CREDIT_OF_ALL_MS);
    this.#accounts.delete(peerId);
    this.#accounts.set(peerId, own);
    const [oldest] = this.#accounts.keys();
    if (this.#accounts.size > MAX_PEERS && oldest !== undefined) this.#accounts.delete(oldest);
    const left = Math.min(own.creditMs, this.#all.creditMs);
    return left >= 0 ? 0 : Math.ceil(-left / SHARE);
  }
}

function spent(account: Account | undefined, workMs: number, nowMs: number, maxCreditMs: number): Account {
  const { creditMs, atMs } = account ?? { creditMs: maxCreditMs, atMs: nowMs };
  return { creditMs: Math.min(maxCreditMs, creditMs + (nowMs - atMs) * SHARE) - workMs, atMs: nowMs };
}
