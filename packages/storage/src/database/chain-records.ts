/** What a chain event carries; the position is what the database stores. */
export const CHAIN_PAYLOADS = ["archive", "messages", "message"] as const;
export type ChainPayloadKind = (typeof CHAIN_PAYLOADS)[number];

/** What became of a chain event; the position is what the database stores. */
export const CHAIN_EVENT_STATES = ["waiting", "done", "refused"] as const;
export type ChainEventState = (typeof CHAIN_EVENT_STATES)[number];

/** What became of an archive that was sent; the position is what the database stores. */
export const PACK_STATES = ["sent", "mined", "confirmed", "abandoned"] as const;
export type PackState = (typeof PACK_STATES)[number];

/** Failures after which an event that is still tried counts as quarantined. */
export const QUARANTINE_ATTEMPTS = 10;

/** A block whose hash is remembered. */
export interface ChainBlock {
  readonly height: number;
  readonly hash: string;
}

/** An event of a chain that concerns the network, as its source read it. */
export interface FoundChainEvent {
  readonly txHash: string;
  /** Place in the log of the block; with the hash of the transaction it names the event. */
  readonly logIndex: number;
  readonly height: number;
  readonly timeMicros: bigint;
  readonly publisher: string;
  /**
   * `archive`: the hash of the file · `messages`: JSON with the messages · `message`: JSON of a contract event ·
   * null: nothing that could be read, as `error` says.
   */
  readonly kind: ChainPayloadKind | null;
  readonly payload: string;
  readonly error: string | null;
}

/** An event that is to be tried. */
export interface DueChainEvent extends FoundChainEvent {
  readonly id: number;
  readonly chain: string;
  readonly kind: ChainPayloadKind;
  /** Earlier failures. */
  readonly attempts: number;
}

/** One transaction that sent a pack: the first one, or one that replaced it with higher fees. */
export interface PackTransaction {
  readonly hash: string;
  /** Signed, `0x…`: what is sent again after a crash. */
  readonly signed: string;
  /** In the smallest unit of the chain, as decimal text. */
  readonly maxFeePerGas: string;
  readonly maxPriorityFeePerGas: string;
  readonly sentMicros: string;
}

/** An archive that this node sends to a chain. */
export interface Pack {
  /** Of its first transaction: its name. */
  readonly txHash: string;
  readonly chain: string;
  readonly address: string;
  readonly nonce: number;
  /** Hash of the archive's file. */
  readonly archive: string;
  /** Oldest first. */
  readonly transactions: readonly PackTransaction[];
  readonly state: PackState;
  readonly messages: number;
  readonly createdMicros: bigint;
}

/** What the reading and the writing of chains change in the database. */
export type ChainChange =
  /** A source was read to `position`; with the events that were found on the way. */
  | {
      readonly kind: "read";
      readonly chain: string;
      readonly source: string;
      readonly position: string;
      readonly blocks: readonly ChainBlock[];
      readonly events: readonly FoundChainEvent[];
    }
  /** The blocks above `height` are no more: what they told is undone. */
  | {
      readonly kind: "rewound";
      readonly chain: string;
      readonly source: string;
      readonly position: string;
      readonly height: number;
    }
  /** An event was tried. */
  | {
      readonly kind: "settled";
      readonly id: number;
      readonly state: ChainEventState;
      readonly nextAttemptMicros: bigint | null;
      readonly messages: number | null;
      readonly error: string | null;
    }
  /** An archive is kept for good. */
  | { readonly kind: "archived"; readonly archive: string; readonly txHash: string }
  /** A pack with its items, before its transaction is sent. */
  | { readonly kind: "packed"; readonly pack: Pack; readonly itemIds: readonly number[] }
  | {
      readonly kind: "packChanged";
      readonly txHash: string;
      readonly state: PackState;
      readonly transactions: readonly PackTransaction[];
    };
