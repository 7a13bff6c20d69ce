import type { Account } from "@twentysix/protocol";
import type { AuthorityContext } from "../context.ts";
import type { BillingPeriod } from "./billing-period.ts";
import type { ExpenseEntry } from "./expense-entries.ts";
import { type ExpenseKind, expenseContent, expenseTimeMicros } from "./expense-post.ts";

/** Entries of one post. */
export const MAX_EXPENSE_ENTRIES = 2_000;

/**
 * Posts the entries of one period, in parts, in the order of their keys. Each post but the last says that more
 * follow, and its last entry says where: the next run goes on there.
 */
export class ExpenseWriter {
  readonly kind: ExpenseKind;
  readonly #context: AuthorityContext;
  readonly #account: Account;
  readonly #maxEntries: number;
  #period: BillingPeriod;
  #entries: ExpenseEntry[] = [];

  constructor(
    context: AuthorityContext,
    account: Account,
    kind: ExpenseKind,
    period: BillingPeriod,
    maxEntries: number,
  ) {
    this.kind = kind;
    this.#context = context;
    this.#account = account;
    this.#period = period;
    this.#maxEntries = maxEntries;
  }

  get period(): BillingPeriod {
    return this.#period;
  }

  /** Entries come in the order of their keys; what an earlier run billed is passed over. */
  async add(entry: ExpenseEntry | null, signal: AbortSignal): Promise<void> {
    const { afterKey } = this.#period;
    if (entry === null || (afterKey !== null && entry.key <= afterKey)) return;
    if (this.#entries.length >= this.#maxEntries) await this.#post(false, signal);
    this.#entries.push(entry);
  }

  /** Posts the last part; none when there is nothing in it, which the ledger would refuse. */
  async finish(signal: AbortSignal): Promise<void> {
    if (this.#entries.length > 0) await this.#post(true, signal);
  }

  async #post(isComplete: boolean, signal: AbortSignal): Promise<void> {
    const { publisher, definition, log } = this.#context;
    const { credits } = definition.authorities;
    const entries = this.#entries;
    const content = expenseContent(this.kind, this.#period, entries, isComplete);
    const itemHash = await publisher.publish(
      {
        account: this.#account,
        type: "POST",
        content: { type: credits.expensePostType, content },
        channel: credits.channels[0] ?? null,
        timeMicros: expenseTimeMicros(this.#period),
      },
      signal,
    );
    log.info("posted expenses", {
      kind: this.kind,
      entries: entries.length,
      credits: String(entries.reduce((sum, { amount }) => sum + amount, 0n)),
      endMicros: String(this.#period.endMicros),
      part: this.#period.part,
      itemHash,
    });
    this.#entries = [];
    this.#period = { ...this.#period, part: this.#period.part + 1, afterKey: entries.at(-1)?.key ?? null };
  }
}
