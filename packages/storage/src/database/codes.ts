import { ITEM_TYPES, type ItemType, MESSAGE_TYPES, type MessageType } from "@twentysix/protocol";
import type { PaymentRule } from "@twentysix/state";

/** Statuses of an item; the position is what the database stores. Never reorder. */
export const STATUSES = ["pending", "processed", "rejected", "forgotten", "removing", "removed"] as const;
export type Status = (typeof STATUSES)[number];

/** What can happen to an item; the position is what the database stores. Only ever append. */
export const EVENT_KINDS = [
  "received",
  "retry",
  "processed",
  "rejected",
  "confirmed",
  "copy",
  "forgotten",
  "removing",
  "removed",
  "recovered",
  "revised",
  "retracted",
] as const;
export type EventKind = (typeof EVENT_KINDS)[number];

/** By which door a message came in; the position is what the database stores. Only ever append. */
export const ORIGINS = ["http", "p2p", "ipfs", "import", "onchain", "upload"] as const;
export type Origin = (typeof ORIGINS)[number];

/** Why a file is kept. */
export const PIN_KINDS = ["content", "message", "tx", "grace_period"] as const;
export type PinKind = (typeof PIN_KINDS)[number];

/** What a file hash names. */
export const FILE_TYPES = ["file", "dir"] as const;
export type FileType = (typeof FILE_TYPES)[number];

/**
 * Dimensions of the `counters` table; the position is what the database stores. `a` and `b` by dimension:
 * total (0, 0) live messages · status (status, type) items · sender (sender_id, type) processed messages ·
 * owner (owner_id, type) live · channel (channel_id, type) live · label (label_id, type) live ·
 * chain (chain_id, type) live · senderLabel (sender_id, label_id) live POSTs · senderChannel (sender_id, channel_id) live ·
 * posts (0, 0) and postType (type_id, 0), postOwner (owner_id, 0) original posts · aggregates (0, 0) ·
 * pins (kind, 0) · candidates (0 queued, type) copies · ownerFiles (owner_id, 0) count and ownerFileBytes (owner_id, 0) of message pins ·
 * type (type, 0) live · graceBytes (0, 0) bytes of files that have a grace pin · creditEntries (account_id, 0) ·
 * balanceRows (chain_id, 0) · ref counts are not kept.
 */
export const COUNTER_DIMENSIONS = [
  "total",
  "status",
  "sender",
  "owner",
  "channel",
  "label",
  "chain",
  "senderLabel",
  "senderChannel",
  "posts",
  "postType",
  "postOwner",
  "aggregates",
  "pins",
  "candidates",
  "ownerFiles",
  "ownerFileBytes",
  "type",
  "graceBytes",
  "creditEntries",
  "balanceRows",
] as const;
export type CounterDimension = (typeof COUNTER_DIMENSIONS)[number];

/** What can be wrong with the bytes of a registered file; the position is what the database stores. */
/** The last is no damage: the bytes were given up because others keep them. */
export const FILE_DAMAGES = ["missing", "corrupt", "elsewhere"] as const;
export type FileDamage = (typeof FILE_DAMAGES)[number];

/** How messages are paid for; the position is what the database stores. */
export const PRICED_PAYMENTS = ["hold", "superfluid", "credit"] as const;

/** By which rule a message was accepted; the position is what the database stores. Only ever append. */
export const ACCEPTANCE_RULES = [
  "free-by-date",
  "free-by-size",
  "free-in-debt",
  "stream-watched-by-node",
  "credit-only",
  "credit-only-machines",
  "credit-only-verifiable",
  "funds-suffice",
  "funds-exceeded-elsewhere",
  "funds-missing",
] as const satisfies readonly PaymentRule[];

/** Why a message is about to be removed; the position is what the database stores. */
export const REMOVAL_REASONS = ["balance_insufficient", "credit_insufficient"] as const;
export type RemovalReason = (typeof REMOVAL_REASONS)[number];

/** Stands for "no confirmation yet" in columns that sort unconfirmed messages last when ascending. */
export const UNCONFIRMED = 9223372036854775807n;

const positions = <T extends string>(names: readonly T[]): Readonly<Record<T, number>> =>
  Object.fromEntries(names.map((name, index) => [name, index])) as Record<T, number>;

export const STATUS_CODE = positions(STATUSES);
export const EVENT_CODE = positions(EVENT_KINDS);
export const ORIGIN_CODE = positions(ORIGINS);
export const PIN_CODE = positions(PIN_KINDS);
export const FILE_TYPE_CODE = positions(FILE_TYPES);
export const COUNTER_CODE = positions(COUNTER_DIMENSIONS);
export const MESSAGE_TYPE_CODE: Readonly<Record<MessageType, number>> = positions(MESSAGE_TYPES);
export const ITEM_TYPE_CODE: Readonly<Record<ItemType, number>> = positions(ITEM_TYPES);
