import { formatIsoZ, itemTypeOfHash, microsOfSeconds, parseJson, sliceMembers } from "@twentysix/protocol";
import type { SqlConnection } from "../../sql/connection.ts";
import { joinTexts, LONG_TEXT_BYTES } from "../long-text/item-text.ts";
import { contentTextOf } from "../message/content-text.ts";
import type { ItemText } from "../text-types.ts";
import type { JsonText } from "../types.ts";

const CANDIDATES = `SELECT id, envelope, reception_us, next_attempt_us, octet_length(content) AS content_bytes,
  CASE WHEN octet_length(content) > ${LONG_TEXT_BYTES} THEN NULL ELSE content END AS content FROM candidates
  WHERE item_id = ? ORDER BY id LIMIT 100`;
/** Copies that were not accepted: how the first and the newest of an item are found. */
const NOT_ACCEPTED = [
  {
    rows: "SELECT envelope AS raw, code, details, payment FROM candidates WHERE item_id = ? AND next_attempt_us IS NULL",
    newest: "id DESC",
  },
  {
    rows: "SELECT raw, code, details, payment FROM refusals WHERE item_id = ?",
    newest: "at_us DESC, id DESC",
  },
];

interface Candidate {
  readonly id: bigint;
  readonly envelope: string;
  readonly content_bytes: bigint | null;
  readonly content: string | null;
  readonly reception_us: bigint;
  readonly next_attempt_us: bigint | null;
}

/** Copies of a pending message as the API shows them, by their own time. */
export function queuedCopies(connection: SqlConnection, itemId: number): ItemText[] {
  const copies = connection.allBig<Candidate>(CANDIDATES, itemId);
  const scheduled = copies.filter((copy) => copy.next_attempt_us !== null);
  // Without a next attempt a copy waits to be woken, or was given up while another one is still tried.
  return (scheduled.length > 0 ? scheduled : copies)
    .map((copy) => ({ copy, micros: envelopeMicros(copy.envelope) }))
    .sort((a, b) => (a.micros === b.micros ? 0 : a.micros < b.micros ? -1 : 1))
    .map(({ copy, micros }) => renderQueued(copy, micros));
}

export interface Rejection {
  readonly messageJson: JsonText | null;
  readonly errorCode: number;
  readonly detailsJson: JsonText | null;
  /** What was looked at where it was refused payment. */
  readonly paymentJson: JsonText | null;
}

interface RefusedCopy {
  readonly raw: string;
  readonly code: number | null;
  readonly details: JsonText | null;
  readonly payment: JsonText | null;
}

/** Nothing is known but that the message failed. */
const UNEXPLAINED: Rejection = { messageJson: null, errorCode: -1, detailsJson: null, paymentJson: null };

/**
 * Why an item is rejected: the message as first received, with the newest code. A copy that was correctly signed
 * counts before those that anyone could have made.
 */
export function rejectionOf(connection: SqlConnection, itemId: number): Rejection {
  for (const { rows, newest: order } of NOT_ACCEPTED) {
    const first = connection.get<RefusedCopy>(`${rows} ORDER BY id LIMIT 1`, itemId);
    const newest = connection.get<RefusedCopy>(`${rows} ORDER BY ${order} LIMIT 1`, itemId);
    if (first === undefined || newest === undefined) continue;
    return {
      // A large refused copy is kept in part, and then it is no JSON any more.
      messageJson: parseJson(first.raw).ok ? first.raw : null,
      errorCode: newest.code ?? UNEXPLAINED.errorCode,
      detailsJson: newest.details,
      paymentJson: newest.payment,
    };
  }
  return UNEXPLAINED;
}

function envelopeMicros(envelope: JsonText): bigint {
  const range = sliceMembers(envelope).get("time");
  const parsed = range === undefined ? null : parseJson(envelope.slice(range.start, range.end));
  const seconds = parsed?.ok ? parsed.value : 0;
  return typeof seconds === "number" || typeof seconds === "bigint" ? microsOfSeconds(seconds) : 0n;
}

function renderQueued(copy: Candidate, micros: bigint): ItemText {
  const members = sliceMembers(copy.envelope);
  const raw = (key: string): JsonText => {
    const range = members.get(key);
    return range === undefined ? "null" : copy.envelope.slice(range.start, range.end);
  };
  const isInline = raw("item_content") !== "null";
  const itemType = isInline
    ? "inline"
    : (itemTypeOfHash(JSON.parse(raw("item_hash")) as string, { anyCidV1: true }) ?? "storage");
  const head = `{"sender":${raw("sender")},"chain":${raw("chain")},"signature":${raw("signature")},"type":${raw("type")},"item_content":${raw("item_content")},"item_type":"${itemType}","item_hash":${raw("item_hash")},"time":"${formatIsoZ(micros)}","channel":${raw("channel")},"content":`;
  const content = isInline || copy.content_bytes !== null ? contentOf(copy) : "null";
  return joinTexts(head, content, `,"reception_time":"${formatIsoZ(copy.reception_us)}"}`);
}

function contentOf({ id, envelope, content, content_bytes }: Candidate): ItemText {
  const isLong = content === null && content_bytes !== null;
  const longContent = isLong
    ? { of: "candidate" as const, id: Number(id), sizeBytes: Number(content_bytes) }
    : null;
  return contentTextOf({ envelope, content, longContent });
}
