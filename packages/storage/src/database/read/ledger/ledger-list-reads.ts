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
  FullPublication,
  OmittedHolders,
} from "./ledger-views.ts";

/** Lists of the ledger, and what is computed over many of its rows. */
export interface LedgerListReads {
  readonly balances: ListRead<BalancesQuery>;
  readonly creditBalances: ListRead<CreditBalancesQuery>;
  readonly creditHistory: ListRead<CreditHistoryQuery>;
  readonly costs: ListRead<CostsQuery>;
  readonly endedCosts: ListRead<EndedCostsQuery>;
  creditSummary(address: string, filter: CreditHistoryFilter, options?: ReadOptions): Promise<CreditSums>;
  /** Who has tokens on a chain by an older word than a full publication: it leaves them out, and they keep what they had. */
  omittedHolders(publication: FullPublication, options?: ReadOptions): Promise<OmittedHolders>;
  forecastFacts(address: string, nowMicros: bigint, options?: ReadOptions): Promise<ForecastFacts>;
}
