import { decodeItemHash } from "@twentysix/protocol";
import { ORIGINS } from "../codes.ts";
import type { Dialect } from "../sql/dialect.ts";
import type { Candidate } from "./candidates.ts";
import type { WriterSession } from "./writer-session.ts";

interface CandidateRow {
  readonly id: bigint;
  readonly hash: Uint8Array;
  readonly envelope: string;
  readonly content: string | null;
  readonly origin: bigint;
  readonly reception_us: bigint;
  readonly attempts: bigint;
  readonly code: bigint | null;
  readonly details: string | null;
}

interface DueRow {
  readonly id: number;
  readonly bytes: number | null;
}

/** Contents of the candidates that are given at once. */
const MAX_DUE_BYTES = 16 * 1024 * 1024;
/** Due copies among which turns are given. A sender has fewer in the queue: see `crowdedCandidate`. */
const MAX_TURNS = 4_096;

/** The ones that are due longest. */
const OLDEST = `
  SELECT id, octet_length(content) AS bytes FROM candidates
  WHERE next_attempt_us IS NOT NULL AND next_attempt_us <= ? ORDER BY next_attempt_us, id LIMIT ?`;

/** One copy of each sender, then a second one of each, and so on; of one sender the one first that is due longest. */
const BY_TURN = `
  SELECT c.id, octet_length(c.content) AS bytes FROM (
    SELECT id, next_attempt_us, row_number() OVER (PARTITION BY sender_id ORDER BY next_attempt_us, id) AS turn
    FROM (SELECT id, sender_id, next_attempt_us FROM candidates
          WHERE next_attempt_us IS NOT NULL AND next_attempt_us <= ? ORDER BY next_attempt_us LIMIT ${MAX_TURNS}) AS oldest
  ) AS t CROSS JOIN candidates AS c WHERE c.id = t.id ORDER BY t.turn, t.next_attempt_us, t.id LIMIT ?`;

const byId = ({ jsonIntegers }: Dialect): string => `
  SELECT c.id, i.hash, c.envelope, c.content, c.origin, c.reception_us, c.attempts, c.code, c.details
  FROM ${jsonIntegers("?")} AS wanted CROSS JOIN candidates AS c CROSS JOIN items AS i
  WHERE c.id = wanted.value AND i.id = c.item_id ORDER BY c.next_attempt_us, c.id`;

/**
 * Candidates whose time has come, oldest first. Where more are due than asked for, or their contents are large,
 * senders take turns, so that one with many holds back nobody else. At least one, when any is due.
 */
export function dueCandidates(
  session: WriterSession,
  nowMicros: bigint,
  limit: number,
  maxBytes = MAX_DUE_BYTES,
): Candidate[] {
  // Mostly nothing is, and a look at the first row alone costs a fifth.
  const next = nextDueMicros(session);
  if (next === null || next > nowMicros) return [];
  const oldest = session.connection.all<DueRow>(OLDEST, nowMicros, limit + 1);
  const bytes = oldest.reduce((sum, row) => sum + (row.bytes ?? 0), 0);
  // Giving turns costs some twenty times as much, and mostly all that are due are taken.
  const isCrowded = oldest.length > limit || bytes > maxBytes;
  const due = isCrowded ? session.connection.all<DueRow>(BY_TURN, nowMicros, limit) : oldest;
  let room = maxBytes;
  const last = due.findIndex(({ bytes }) => {
    room -= bytes ?? 0;
    return room <= 0;
  });
  const fitting = last < 0 ? due : due.slice(0, last + 1);
  return session.connection
    .allBig<CandidateRow>(byId(session.connection.dialect), JSON.stringify(fitting.map(({ id }) => id)))
    .map((row) => ({
      id: Number(row.id),
      hash: decodeItemHash(row.hash),
      envelopeText: row.envelope,
      contentText: row.content,
      origin: ORIGINS[Number(row.origin)] ?? "p2p",
      receptionMicros: row.reception_us,
      attempts: Number(row.attempts),
      code: row.code === null ? null : Number(row.code),
      detailsText: row.details,
    }));
}

/** When the next candidate is due; null when none is queued. */
export function nextDueMicros(session: WriterSession): bigint | null {
  const row = session.standing.getBig<{ next: bigint | null }>(
    "SELECT min(next_attempt_us) AS next FROM candidates WHERE next_attempt_us IS NOT NULL",
  );
  return row?.next ?? null;
}
