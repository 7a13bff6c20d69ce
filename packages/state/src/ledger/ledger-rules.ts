import type { Authorities, Cutovers } from "@twentysix/protocol";

/** What of a network's definition decides about money. */
export interface LedgerRules {
  readonly balances: Authorities["balances"];
  readonly credits: Authorities["credits"];
  readonly cutovers: Cutovers;
  /** Files up to this size are free while tokens are held. */
  readonly freeFileBytes: number;
  /** Credits must last this long. */
  readonly creditRuntimeSeconds: bigint;
  /** Between the decision to remove a message and its removal. */
  readonly removalGraceMicros: bigint;
  /** Dates are compared with what was observed instead of the envelope's time. */
  readonly observedTimeGates: boolean;
  /** What is free does not count among what an account must pay for, and no debt makes it refused. */
  readonly freeItemsUncounted: boolean;
  /** What other nodes accepted beyond the funds of an account is accepted too, and the latest of it is removed. */
  readonly overcommitSwept: boolean;
  /** A message that cannot be paid for does not take along those after it that can. */
  readonly sweepSkipsUnaffordable: boolean;
  /** A transfer that its sender's credits do not cover is refused when it is applied as well. */
  readonly transfersFullyCovered: boolean;
  /** A STORE that names no payment is paid with credits. */
  readonly storesDefaultToCredits: boolean;
  /** Expirations that are clearly seconds, where milliseconds are meant, are refused. Of what clients submit here. */
  readonly refusesSecondsExpirations: boolean;
  /** Others have accepted the copy: a lack of funds does not end it, and revives when funds come. */
  readonly isFromNetwork: boolean;
  /** This node has what its peers have. Else a lack of funds may be its own lack, and nothing is refused for it. */
  readonly fundsKnown: boolean;
}
