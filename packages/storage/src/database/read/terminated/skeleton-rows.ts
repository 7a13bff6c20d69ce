import { type Chain, decodeItemHash, formatTime, ITEM_TYPES, MESSAGE_TYPES } from "@twentysix/protocol";
import type { SqlConnection } from "../../sql/connection.ts";
import type { Dictionaries } from "../dictionary.ts";
import type { JsonText, PaymentType } from "../types.ts";

const FORGOTTEN = `SELECT i.hash, f.type, f.chain_id, f.sender_id, f.owner_id, f.channel_id, f.item_type, f.payment_id,
  f.signature, f.time_us, f.size, coalesce(f.forgotten_us, p.forgotten_us) AS ended_us
  FROM forgotten AS f CROSS JOIN items AS i LEFT JOIN items AS pi ON pi.hash = f.parent
  LEFT JOIN forgotten AS p ON p.id = pi.id
  WHERE f.id = ? AND i.id = f.id`;
const REMOVED = `SELECT i.hash, r.type, r.chain_id, r.sender_id, r.owner_id, r.channel_id, r.item_type, r.payment_id,
  r.signature, r.time_us, r.size, r.removed_us AS ended_us
  FROM removed AS r CROSS JOIN items AS i WHERE r.id = ? AND i.id = r.id`;
const FORGET_HASHES = `SELECT i.hash FROM forgets AS f CROSS JOIN items AS i
  WHERE f.item_id = ? AND i.id = f.forget_id ORDER BY (SELECT m.content_time_us FROM messages m WHERE m.id = f.forget_id) NULLS FIRST, i.hash`;
const PARENT = `SELECT i.id AS parent_id FROM forgotten AS f CROSS JOIN items AS i
  WHERE f.id = ? AND i.hash = f.parent`;

/** A message taken along by another one taken along, and so on: bounded, since the data comes from outside. */
const MAX_ANCESTORS = 8;

interface Columns {
  readonly hash: Uint8Array;
  readonly type: bigint | null;
  readonly chain_id: bigint | null;
  readonly sender_id: bigint | null;
  readonly owner_id: bigint | null;
  readonly channel_id: bigint | null;
  readonly item_type: bigint | null;
  readonly payment_id: bigint | null;
  readonly signature: string | null;
  readonly time_us: bigint | null;
  readonly size: bigint | null;
  readonly ended_us: bigint | null;
}

/** What is left of a forgotten or removed message. */
export interface Skeleton {
  readonly json: (extra: { readonly status: boolean; readonly forgottenBy: boolean }) => JsonText;
  readonly paymentType: PaymentType | null;
  readonly endedMicros: bigint | null;
  readonly sizeBytes: number | null;
  readonly forgottenBy: readonly string[];
}

/** Forgotten and removed messages by id, in the shape of their lists. */
export class SkeletonRows {
  readonly #connection: SqlConnection;
  readonly #names: Dictionaries;

  constructor(connection: SqlConnection, names: Dictionaries) {
    this.#connection = connection;
    this.#names = names;
  }

  /** null when no snapshot is left. */
  byId(status: "forgotten" | "removed", id: number): Skeleton | null {
    const row = this.#connection.getBig<Columns>(status === "forgotten" ? FORGOTTEN : REMOVED, id);
    if (row === undefined) return null;
    const forgottenBy = status === "forgotten" ? this.forgottenBy(id) : [];
    const members = this.#members(row);
    const ended = `"${status}_at":${row.ended_us === null ? "null" : formatTime(row.ended_us)}`;
    return {
      json: (extra) => {
        const head = extra.status ? `"status":"${status}",` : "";
        const by = extra.forgottenBy ? `,"forgotten_by":${JSON.stringify(forgottenBy)}` : "";
        return `{${head}${members},${ended}${by}}`;
      },
      paymentType: this.#label(row.payment_id) as PaymentType | null,
      endedMicros: row.ended_us,
      sizeBytes: row.size === null ? null : Number(row.size),
      forgottenBy,
    };
  }

  /** The FORGET messages of an item, and those of whatever took it along. */
  forgottenBy(id: number): string[] {
    const hashes = new Set<string>();
    let current: number | null = id;
    for (let depth = 0; depth < MAX_ANCESTORS && current !== null; depth += 1) {
      for (const { hash } of this.#connection.all<{ hash: Uint8Array }>(FORGET_HASHES, current)) {
        hashes.add(decodeItemHash(hash));
      }
      current = this.#connection.get<{ parent_id: number }>(PARENT, current)?.parent_id ?? null;
    }
    return [...hashes];
  }

  #members(row: Columns): string {
    const { addresses, channels } = this.#names;
    const text = (value: string | null): string => JSON.stringify(value);
    const name = (id: bigint | null): string | null => (id === null ? null : addresses.nameOf(id));
    const chain = this.#label(row.chain_id) as Chain | null;
    const channel = row.channel_id === null ? null : channels.nameOf(row.channel_id);
    const type = row.type === null ? null : (MESSAGE_TYPES[Number(row.type)] ?? null);
    const itemType = row.item_type === null ? null : (ITEM_TYPES[Number(row.item_type)] ?? null);
    const time = row.time_us === null ? "null" : formatTime(row.time_us);
    return `"item_hash":"${decodeItemHash(row.hash)}","sender":${text(name(row.sender_id))},"chain":${text(chain)},"signature":${text(row.signature)},"type":${text(type)},"item_type":${text(itemType)},"time":${time},"channel":${text(channel)},"owner":${text(name(row.owner_id))},"payment_type":${text(this.#label(row.payment_id))},"size":${row.size ?? "null"}`;
  }

  #label(id: bigint | null): string | null {
    return id === null ? null : this.#names.labels.nameOf(id);
  }
}
