import type { Chain } from "./chains.ts";

/** The seven message types of the wire protocol. */
export const MESSAGE_TYPES = [
  "AGGREGATE",
  "FORGET",
  "INSTANCE",
  "POST",
  "PROGRAM",
  "STORE",
  "V-PROGRAM",
] as const;
export type MessageType = (typeof MESSAGE_TYPES)[number];

/** Where the content of a message is: in the envelope, in node storage, or on IPFS. */
export const ITEM_TYPES = ["inline", "storage", "ipfs"] as const;
export type ItemType = (typeof ITEM_TYPES)[number];

/**
 * A syntactically valid envelope.
 *
 * `timeMicros` is the stored envelope time in microseconds since the Unix epoch, rounded half to even;
 * it passes 2^53 before the year 9999, so it is a bigint. `timeText` is the number as it was written.
 */
export interface Envelope {
  readonly type: MessageType;
  readonly chain: Chain;
  readonly sender: string;
  /** null only for messages that come out of a smart-contract event. */
  readonly signature: string | null;
  readonly itemType: ItemType;
  /** The JSON text of the content; null when the content is stored elsewhere. */
  readonly itemContent: string | null;
  readonly itemHash: string;
  readonly timeMicros: bigint;
  readonly timeText: string;
  readonly channel: string | null;
}

/** What a signature covers, and what a verifier may read beside it. */
export type SignedFields = Pick<
  Envelope,
  "chain" | "sender" | "type" | "itemHash" | "signature" | "timeMicros"
>;
