import type { JsonObject } from "@twentysix/protocol";

/** What a message says to the registry. */
export type RegistryEvent = BalancesEvent | OperationEvent | ScoresEvent;

/** Where a message stands among the others. */
export interface EventPlace {
  readonly itemHash: string;
  /** Unix seconds, from the content. */
  readonly timeSeconds: number;
  /** Lowest confirmation on Ethereum; null without one, and in networks whose order is that of time. */
  readonly height: number | null;
}

/** Balances of one platform. Who is not among them keeps what it had. */
export interface BalancesEvent extends EventPlace {
  readonly kind: "balances";
  readonly platform: string;
  /** Grows from publication to publication; an older one changes nothing. */
  readonly balancesHeight: bigint;
  /** Units of 10^-18 of a token, by address. */
  readonly balances: ReadonlyMap<string, bigint>;
}

/** A post of a node's operation, or the amend of one. */
export interface OperationEvent extends EventPlace {
  readonly kind: "operation";
  /** Who acts: the address of the content. */
  readonly address: string;
  readonly isAmend: boolean;
  readonly ref: string | null;
  /** The content of the post as it came. */
  readonly content: JsonObject;
}

export interface ScoresEvent extends EventPlace {
  readonly kind: "scores";
  readonly scores: ReadonlyMap<string, NodeScore>;
}

/** Each from 0 to 1. */
export interface NodeScore {
  readonly score: number;
  readonly performance: number;
  readonly decentralization: number;
}

/**
 * The order in which events count: by height, what is not confirmed after what is; then by time and item hash. Source of
 * the first two: aleph-nodestatus `src/aleph_nodestatus/messages.py`.
 */
export function compareEvents(a: EventPlace, b: EventPlace): number {
  const [heightA, heightB] = [a.height ?? Number.MAX_SAFE_INTEGER, b.height ?? Number.MAX_SAFE_INTEGER];
  if (heightA !== heightB) return heightA - heightB;
  if (a.timeSeconds !== b.timeSeconds) return a.timeSeconds - b.timeSeconds;
  return a.itemHash < b.itemHash ? -1 : Number(a.itemHash > b.itemHash);
}
