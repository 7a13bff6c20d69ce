export {
  type BatchEntry,
  type FetchFacts,
  fetchMissing,
  readPrices,
  runBatch,
  settleAccounts,
} from "./batch.ts";
export type * from "./facts.ts";
export { compareVersions } from "./facts.ts";
export { refusalOfForgotten } from "./forgotten-copy.ts";
export { NO_GRACE, tagOf } from "./handlers/store.ts";
export { adoptStatus, type FundsStatus } from "./ledger/adopt-status.ts";
export {
  checkFunds,
  decidePayment,
  judgePayment,
  type PaymentDecision,
  plainAmount,
} from "./ledger/judge-payment.ts";
export type * from "./ledger/ledger-facts.ts";
export { compareEntries } from "./ledger/ledger-facts.ts";
export type { LedgerRules } from "./ledger/ledger-rules.ts";
export { creditsAt, nextExpiryMicros, replayLots } from "./ledger/lots.ts";
export { type BillInput, type BillResult, billOf, isPaidKind, type PaidKind } from "./ledger/message-bill.ts";
export { costFactOf, replaceCost } from "./ledger/message-costs.ts";
export type * from "./ledger/payment-rule.ts";
export {
  type AggregateFields,
  type PriceListFault,
  PriceListReader,
  type PriceLists,
  type PublishedAggregate,
  priceLists,
} from "./ledger/price-lists.ts";
export { publicationSince } from "./ledger/removals.ts";
export { leftFor } from "./ledger/serve-costs.ts";
export { servedOf } from "./ledger/sweep-account.ts";
export { sweepAccounts } from "./ledger/sweep-accounts.ts";
export { touchConfirmed } from "./ledger/touch-confirmed.ts";
export { type NamedFile, namedFileNeeds, namedFiles, sizeNeeds } from "./named-files.ts";
export type { Outcome, Refused, Waiting } from "./outcome.ts";
export type * from "./prepared.ts";
export { priceQuestion } from "./price-question.ts";
export { compareCopies, signedByOwner } from "./rank-copies.ts";
export type { PriceCheck, PriceRequest, PriceVerdict, StateContext, StateRules } from "./rules.ts";
export type { Skeleton } from "./skeletons.ts";
export type { Change } from "./table.ts";
export {
  type AggregateElement,
  type FactsTableName,
  type IndexTableName,
  type ItemEvent,
  type Need,
  pairKey,
  type RequeuedCopy,
  splitPairKey,
  type TagPin,
  World,
} from "./world.ts";
