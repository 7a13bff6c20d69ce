import { isJsonObject, type JsonObject, type JsonValue, memberOf } from "@twentysix/protocol";
import { type Connection, listPosts } from "@twentysix/sdk";
import { CREDIT_PRICE } from "../credits/grant-credits.ts";
import type { BillingPeriod, ExpensePosition } from "./billing-period.ts";
import { type ExpenseEntry, executionKey } from "./expense-entries.ts";
import type { ExpenseLine } from "./expense-lines.ts";

/** What expenses are for; each has periods of its own. */
export const EXPENSE_KINDS = ["storage", "execution"] as const;
export type ExpenseKind = (typeof EXPENSE_KINDS)[number];

const kindTag = (kind: ExpenseKind): string => `type_${kind}`;

export interface ExpenseFigures {
  /** The period has no further part. */
  readonly isComplete: boolean;
  /** Tokens that a credit is worth, a decimal text. */
  readonly creditPriceTokens: string;
}

/**
 * The content of an expense post. What is under `hold` is not debited: rewards are computed from it.
 *
 * Source: aleph-nodestatus `tests/fixtures` and `src/aleph_nodestatus/credit_distribution.py`.
 */
export function expenseContent(
  kind: ExpenseKind,
  period: BillingPeriod,
  entries: readonly ExpenseEntry[],
  { isComplete, creditPriceTokens }: ExpenseFigures,
): JsonObject {
  const debits = entries.flatMap(({ credit }) => credit ?? []);
  const holds = entries.flatMap(({ hold }) => hold ?? []);
  return {
    tags: ["credit_expense", kindTag(kind)],
    expense: {
      ...(kind === "storage" ? { version: 2 } : {}),
      count: debits.length,
      amount: amountOf(debits),
      credits: debits.map(({ json }) => json),
      hold: holds.map(({ json }) => json),
      stats: {
        hold: { count: holds.reduce((sum, { count }) => sum + count, 0), amount: amountOf(holds) },
      },
      start_date: Number(period.startMicros / 1_000n),
      end_date: Number(period.endMicros / 1_000n),
      credit_price_usdc: Number(CREDIT_PRICE),
      credit_price_aleph: Number(creditPriceTokens),
      part: period.part,
      complete: isComplete,
    },
  };
}

const amountOf = (lines: readonly ExpenseLine[]): bigint =>
  lines.reduce((sum, { amount }) => sum + amount, 0n);

/** The time of a part: it follows from the period, and the newest post is the last part. */
export const expenseTimeMicros = ({ endMicros, part }: BillingPeriod): bigint =>
  endMicros + BigInt(part) + 1n;

/** How far the expenses of a kind have come on the network; null: there are none. */
export async function lastExpense(
  connection: Connection,
  query: {
    readonly kind: ExpenseKind;
    readonly owner: string;
    readonly type: string;
    readonly channel: string | null;
    readonly signal: AbortSignal;
  },
): Promise<ExpensePosition | null> {
  const { kind, owner, type, channel, signal } = query;
  const { items } = await listPosts(connection, {
    owners: [owner],
    types: [type],
    tags: [kindTag(kind)],
    ...(channel === null ? {} : { channels: [channel] }),
    pageSize: 1,
    signal,
  });
  return items[0] === undefined ? null : positionOf(kind, items[0].content);
}

function positionOf(kind: ExpenseKind, content: JsonValue): ExpensePosition | null {
  const expense = isJsonObject(content) ? memberOf(content, "expense") : undefined;
  if (!isJsonObject(expense)) return null;
  const end = millisOf(memberOf(expense, "end_date"));
  if (end === null) return null;
  const part = memberOf(expense, "part");
  return {
    startMicros: millisOf(memberOf(expense, "start_date")) ?? end,
    endMicros: end,
    part: Number.isSafeInteger(part) ? Number(part) : 0,
    // Posts of other publishers have no parts.
    isComplete: memberOf(expense, "complete") !== false,
    lastKey: lastKeyOf(kind, expense),
  };
}

/** The last of what is debited or of what is not, whichever comes later. */
function lastKeyOf(kind: ExpenseKind, expense: JsonObject): string {
  const keys = ["credits", "hold"].map((name) => {
    const lines = memberOf(expense, name);
    const last = Array.isArray(lines) ? lines.at(-1) : undefined;
    return isJsonObject(last) ? keyOf(kind, last) : "";
  });
  return keys.sort().at(-1) ?? "";
}

function keyOf(kind: ExpenseKind, line: JsonObject): string {
  const address = String(memberOf(line, "address"));
  return kind === "storage" ? address : executionKey(address, String(memberOf(line, "execution_id")));
}

const millisOf = (value: JsonValue | undefined): bigint | null =>
  typeof value === "number" && Number.isFinite(value) && value >= 0
    ? BigInt(Math.round(value * 1_000))
    : null;
