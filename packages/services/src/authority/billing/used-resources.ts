import { parseAtto } from "@twentysix/protocol";
import {
  type Connection,
  type CostFigures,
  type CostLineObject,
  type CostObject,
  iterateEndedCosts,
  listCosts,
} from "@twentysix/sdk";
import { AuthorityError } from "../errors.ts";
import { microsOfDate, type Run } from "./billed-time.ts";

const PAGE_SIZE = 1_000;
const MAX_PAGES = 10_000;
/** A list whose total changes under way may have lost a row at the edge of a page: it is read again. */
const MAX_READINGS = 5;

/** What is debited, and what is only told of: who holds tokens for it pays nothing. */
export const BILLED_PAYMENTS = ["credit", "hold"] as const;
export type BilledPayment = (typeof BILLED_PAYMENTS)[number];

/** What runs or ran and has a price in credits, by what it is. */
export interface UsedResource extends Run {
  readonly itemHash: string;
  readonly owner: string;
  readonly payment: BilledPayment;
  readonly creditAttoPerSecond: bigint;
  readonly sizeMib: number;
  /** Name of the price list that it is billed by; null where the node does not tell. */
  readonly priceListHash: string | null;
  /** `idle`: a function that runs on request; its calls are billed by whoever ran them. */
  readonly kind: "storage" | "execution" | "idle";
}

/** The owners of what ran since a moment, in the order of expenses. */
export async function usingOwners(
  connection: Connection,
  startMicros: bigint,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const owners = new Set<string>();
  // What a page lost to a row that went away meanwhile is in the list that is read again.
  for (const paymentType of BILLED_PAYMENTS) {
    await readCosts(connection, { paymentType }, signal, ({ owner }) => owners.add(owner));
  }
  const sinceSeconds = Number(startMicros / 1_000_000n);
  for await (const { owner } of iterateEndedCosts(connection, { sinceSeconds, signal })) owners.add(owner);
  return [...owners].sort((a, b) => (a < b ? -1 : 1));
}

/**
 * What one owner used since a moment, by item hash. First what is live is read, then what has ended: something that
 * ends in between is told of by both, and nothing by neither.
 */
export async function resourcesOf(
  connection: Connection,
  owner: string,
  startMicros: bigint,
  signal: AbortSignal,
): Promise<readonly UsedResource[]> {
  const runs = new Map<string, UsedResource>();
  const take = (resource: UsedResource | null): void => {
    // What is removed and comes back has two runs: each begins at its own time.
    if (resource !== null) runs.set(`${resource.itemHash} ${resource.startMicros}`, resource);
  };
  for (const paymentType of BILLED_PAYMENTS) {
    const query = { owner, paymentType, withLines: true };
    await readCosts(connection, query, signal, (cost) => take(resourceOf(cost, cost.lines ?? [], null)));
  }
  const sinceSeconds = Number(startMicros / 1_000_000n);
  for await (const cost of iterateEndedCosts(connection, { owner, sinceSeconds, signal })) {
    take(resourceOf(cost, cost.lines, cost.endedAt));
  }
  return [...runs.values()].sort((a, b) => (a.itemHash < b.itemHash ? -1 : a.itemHash > b.itemHash ? 1 : 0));
}

async function readCosts(
  connection: Connection,
  query: { readonly owner?: string; readonly paymentType: BilledPayment; readonly withLines?: boolean },
  signal: AbortSignal,
  take: (cost: CostObject) => void,
): Promise<void> {
  for (let reading = 0; reading < MAX_READINGS; reading += 1) {
    const totals = new Set<number>();
    for (let page = 1; page <= MAX_PAGES; page += 1) {
      const { items, total } = await listCosts(connection, { ...query, page, pageSize: PAGE_SIZE, signal });
      totals.add(total);
      for (const item of items) take(item);
      if (items.length < PAGE_SIZE) break;
    }
    if (totals.size <= 1) return;
  }
}

/** null for what is paid as a stream: whoever runs it gets that. */
function resourceOf(
  cost: CostFigures,
  lines: readonly CostLineObject[],
  endedAt: string | null,
): UsedResource | null {
  const { itemHash, owner, costCredit, startedAt, pricingRevision } = cost;
  const payment = BILLED_PAYMENTS.find((one) => one === cost.paymentType);
  if (payment === undefined) return null;
  const creditAttoPerSecond = parseAtto(costCredit);
  if (creditAttoPerSecond === null || creditAttoPerSecond < 0n) {
    throw badCost(itemHash, `costs ${shown(costCredit)} credits a second, which is no amount`);
  }
  const execution = lines.find(({ type }) => type === "EXECUTION");
  return {
    itemHash,
    owner,
    payment,
    creditAttoPerSecond,
    sizeMib: lines.reduce((sum, { sizeMib }) => sum + (sizeMib ?? 0), 0),
    priceListHash: pricingRevision,
    kind: execution === undefined ? "storage" : execution.name === "program" ? "idle" : "execution",
    startMicros: momentOf(itemHash, startedAt),
    endMicros: momentOf(itemHash, endedAt),
  };
}

function momentOf(itemHash: string, date: string | null): bigint | null {
  if (date === null) return null;
  const micros = microsOfDate(date);
  if (micros === null) throw badCost(itemHash, `began or ended at ${shown(date)}, which is no date`);
  return micros;
}

const badCost = (itemHash: string, problem: string): AuthorityError =>
  new AuthorityError(
    "AUTHORITY_BAD_COST",
    `the node says that ${itemHash} ${problem}; nothing is billed until it says better`,
  );

const shown = (text: string): string => JSON.stringify(text.slice(0, 80));
