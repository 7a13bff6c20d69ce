import {
  decodeItemHash,
  ERROR_TABLE,
  encodeItemHash,
  ITEM_TYPES,
  isChain,
  MESSAGE_TYPES,
} from "@twentysix/protocol";
import type { ForgottenMessage, Skeleton } from "@twentysix/state";
import type { SqlConnection } from "@twentysix/storage";

/** A forgotten message as this node still has it. */
export interface HiddenMessage extends Skeleton {
  readonly id: number;
  /** Of its texts; 0 where there are none. */
  readonly textBytes: number;
  /** Its texts, while they are retained behind the FORGET of a delegate; read when they are asked for. */
  readonly texts: readonly { readonly envelope: string; readonly content: string | null }[];
}

interface Row {
  readonly hash: Uint8Array;
  readonly type: bigint;
  readonly chain: string;
  readonly sender: string;
  readonly owner: string;
  readonly channel: string | null;
  readonly label: string | null;
  readonly item_type: bigint;
  readonly payment: string;
  readonly signature: string | null;
  readonly time_us: bigint;
  readonly content_time_us: bigint;
  readonly size: bigint;
  readonly parent: Uint8Array | null;
  readonly revises: bigint;
  readonly content_hash: Uint8Array | null;
}

const SKELETON = `SELECT i.hash, f.type, c.label AS chain, s.address AS sender, o.address AS owner, h.channel, l.label,
    f.item_type, p.label AS payment, f.signature, f.time_us, f.content_time_us, f.size, f.parent, f.revises, f.content_hash
  FROM forgotten f JOIN items i ON i.id = f.id JOIN labels c ON c.id = f.chain_id JOIN addresses s ON s.id = f.sender_id
  JOIN addresses o ON o.id = f.owner_id JOIN labels p ON p.id = f.payment_id
  LEFT JOIN channels h ON h.id = f.channel_id LEFT JOIN labels l ON l.id = f.label_id
  WHERE f.id = ? AND i.status = 3`;
const RETAINED = `FROM candidates WHERE item_id = ? AND code = ${ERROR_TABLE.FORGOTTEN_DUPLICATE.code}`;
const TEXTS = `SELECT envelope, content ${RETAINED} ORDER BY id`;
const TEXT_BYTES = `SELECT sum(octet_length(envelope) + coalesce(octet_length(content), 0)) AS bytes ${RETAINED}`;

/** A forgotten message by its id; null when there is none. */
export function hiddenMessage(stored: SqlConnection, id: number): HiddenMessage | null {
  const row = stored.getBig<Row>(SKELETON, id);
  if (row === undefined) return null;
  return {
    id,
    hash: decodeItemHash(row.hash),
    message: messageOf(row),
    textBytes: Number(stored.getBig<{ bytes: bigint | null }>(TEXT_BYTES, id)?.bytes ?? 0),
    get texts() {
      return stored.all<{ envelope: string; content: string | null }>(TEXTS, id);
    },
  };
}

function messageOf(row: Row): ForgottenMessage {
  const type = MESSAGE_TYPES[Number(row.type)];
  const itemType = ITEM_TYPES[Number(row.item_type)];
  if (type === undefined || itemType === undefined || !isChain(row.chain))
    throw new Error(`The database holds a forgotten ${row.type} of ${row.chain}, which is not known`);
  return {
    type,
    chain: row.chain,
    sender: row.sender,
    owner: row.owner,
    channel: row.channel,
    label: row.label,
    itemType,
    paymentType: row.payment,
    signature: row.signature,
    timeMicros: row.time_us,
    contentTimeMicros: row.content_time_us,
    size: Number(row.size),
    parent: row.parent === null ? null : decodeItemHash(row.parent),
    revises: row.revises !== 0n,
    contentHash: row.content_hash === null ? null : decodeItemHash(row.content_hash),
    forgottenMicros: null,
  };
}

/** Rows looked at in one go. */
const CHUNK = 512;

/** Messages that a FORGET names or covers, in the order of their ids. */
export function* targetsOf(
  stored: SqlConnection,
  forgetId: number,
): Generator<HiddenMessage, void, undefined> {
  yield* inChunks(
    stored,
    "SELECT item_id AS id FROM forgets WHERE forget_id = ? AND item_id > ? ORDER BY item_id LIMIT ?",
    forgetId,
  );
}

/** Messages that were forgotten along with another. */
function* childrenOf(stored: SqlConnection, hash: string): Generator<HiddenMessage, void, undefined> {
  yield* inChunks(
    stored,
    "SELECT id FROM forgotten WHERE parent = ? AND id > ? ORDER BY id LIMIT ?",
    encodeItemHash(hash),
  );
}

function* inChunks(
  stored: SqlConnection,
  query: string,
  key: number | Uint8Array,
): Generator<HiddenMessage, void, undefined> {
  for (let after = 0; ; ) {
    const ids = stored.all<{ id: number }>(query, key, after, CHUNK);
    for (const { id } of ids) {
      const hidden = hiddenMessage(stored, id);
      if (hidden !== null) yield hidden;
    }
    const last = ids.at(-1);
    if (last === undefined) return;
    after = last.id;
  }
}

/** A FORGET that hides a message, and where it stands in the event log. */
export interface Holder {
  readonly id: number;
  readonly seq: number;
}

/** The FORGETs that hide a message itself, in the order in which they were processed. */
export function holdersOf(stored: SqlConnection, id: number): Holder[] {
  return stored.all<{ id: number; seq: number }>(
    `SELECT r.forget_id AS id, max(e.seq) AS seq FROM forgets r JOIN events e ON e.item_id = r.forget_id AND e.kind = 2
     WHERE r.item_id = ? GROUP BY r.forget_id ORDER BY seq`,
    id,
  );
}

/** The id of a forgotten message. */
function forgottenId(stored: SqlConnection, hash: string): number | null {
  const query = "SELECT f.id FROM items i JOIN forgotten f ON f.id = i.id WHERE i.hash = ?";
  return stored.get<{ id: number }>(query, encodeItemHash(hash))?.id ?? null;
}

/** A message taken along by another one taken along, and so on: see `SkeletonRows`. */
export const MAX_ANCESTORS = 8;

/** The FORGETs of a message and of whatever took it along. */
export function allHoldersOf(stored: SqlConnection, hidden: HiddenMessage): Holder[] {
  const holders: Holder[] = [];
  let current: HiddenMessage | null = hidden;
  for (let depth = 0; depth < MAX_ANCESTORS && current !== null; depth += 1) {
    holders.push(...holdersOf(stored, current.id));
    current = parentOf(stored, current);
  }
  return holders;
}

function parentOf(stored: SqlConnection, { message: { parent } }: HiddenMessage): HiddenMessage | null {
  const id = parent === null ? null : forgottenId(stored, parent);
  return id === null ? null : hiddenMessage(stored, id);
}

/** A forgotten message and those that were forgotten along with it. */
export function* withChildren(
  stored: SqlConnection,
  hidden: HiddenMessage,
  depth = 0,
): Generator<HiddenMessage, void, undefined> {
  yield hidden;
  if (depth === MAX_ANCESTORS) return;
  for (const child of childrenOf(stored, hidden.hash))
    if (child.message.type === hidden.message.type) yield* withChildren(stored, child, depth + 1);
}
