import type { SqlConnection } from "../../sql/connection.ts";
import type { Counters } from "../counters.ts";
import type { Dictionaries } from "../dictionary.ts";
import { historyWalk } from "./credit-history-sql.ts";
import { sumStep } from "./credit-history-walk.ts";
import type { CreditHistoryFilter, CreditPosition, CreditSumStep } from "./ledger-views.ts";

/** Entries that one step sums up. */
const STEP_ENTRIES = 50_000;

const ACCOUNT = "SELECT credits_in, credits_out FROM accounts WHERE id = ?";

/** Sums over a history: kept ones for all of it, else those over its next entries that pass the filter. */
export function creditSummary(
  connection: SqlConnection,
  { addresses }: Dictionaries,
  counters: Counters,
  address: string,
  filter: CreditHistoryFilter,
  after: CreditPosition | null,
): CreditSumStep {
  const id = addresses.idOf(address);
  if (id === null) return { entries: 0, incoming: 0n, outgoing: 0n, next: null };
  if (Object.keys(filter).length > 0)
    return sumStep(connection, historyWalk(connection, id, filter), after, STEP_ENTRIES);
  const account = connection.get<{ credits_in: string; credits_out: string }>(ACCOUNT, id);
  return {
    entries: counters.get("creditEntries", id),
    incoming: BigInt(account?.credits_in ?? "0"),
    outgoing: -BigInt(account?.credits_out ?? "0"),
    next: null,
  };
}
