import type { ListRead, ReadOptions } from "../types.ts";
import type {
  BalancesQuery,
  CostsQuery,
  CreditBalancesQuery,
  CreditHistoryFilter,
  CreditHistoryQuery,
  CreditSums,
  EndedCostsQuery,
  ForecastFacts,
} from "./ledger-views.ts";

/** Lists of the ledger, and what is computed over many of its rows. */
export interface LedgerListReads {
  readonly balances: ListRead<BalancesQuery>;
  readonly creditBalances: ListRead<CreditBalancesQuery>;
  readonly creditHistory: ListRead<CreditHistoryQuery>;
  readonly costs: ListRead<CostsQuery>;
  readonly endedCosts: ListRead<EndedCostsQuery>;
  creditSummary(address: string, filter: CreditHistoryFilter, options?: ReadOptions): Promise<CreditSums>;
  forecastFacts(address: string, nowMicros: bigint, options?: ReadOptions): Promise<ForecastFacts>;
}
