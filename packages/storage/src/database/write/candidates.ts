import { ERROR_TABLE, type MessageType } from "@twentysix/protocol";
import { EVENT_CODE, MESSAGE_TYPE_CODE, ORIGIN_CODE, type Origin } from "../codes.ts";
import { typeOfEnvelope } from "./envelope-type.ts";
import type { WriterSession } from "./writer-session.ts";

/** A copy that waits, was given up, or is retained behind a FORGET. */
export interface Candidate {
  readonly id: number;
  readonly hash: string;
  readonly envelopeText: string;
  readonly contentText: string | null;
  readonly origin: Origin;
  readonly receptionMicros: bigint;
  readonly attempts: number;
  /** Why it was not applied the last time; null: it was not tried, or everything is right with it now. */
  readonly code: number | null;
  readonly detailsText: string | null;
}

/** What is known of a copy that is to be queued. */
export interface NewCandidate {
  readonly hash: string;
  readonly type: MessageType;
  /** Digest of what makes the copy distinct. */
  readonly identity: Uint8Array;
  readonly envelopeText: string;
  readonly contentText: string | null;
  readonly sender: string;
  readonly origin: Origin;
  readonly receptionMicros: bigint;
}

/** Why a candidate is not applied, and when it is tried again (null: only when woken). */
export interface CandidateState {
  readonly attempts: number;
  readonly nextAttemptMicros: bigint | null;
  readonly code: number | null;
  readonly detailsText: string | null;
  /** JSON of what was looked at where the copy was refused payment. */
  readonly paymentText: string | null;
  readonly waits: readonly string[];
}

/** Queues a copy, or updates the state of the same copy; returns its id. */
export function putCandidate(session: WriterSession, candidate: NewCandidate, state: CandidateState): number {
  const known = session.connection.get<{ queued: number }>(
    "SELECT next_attempt_us IS NOT NULL AS queued FROM candidates WHERE identity = ?",
    candidate.identity,
  );
  countQueued(session, candidate.type, Number(state.nextAttemptMicros !== null) - (known?.queued ?? 0));
  const row = session.connection.get<{ id: number }>(
    `INSERT INTO candidates (item_id, identity, envelope, content, sender_id, origin, reception_us, attempts, next_attempt_us, code, details,
       payment)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (identity) DO UPDATE SET content = coalesce(excluded.content, candidates.content),
       envelope = CASE WHEN (length(excluded.envelope), excluded.envelope) < (length(candidates.envelope), candidates.envelope)
         THEN excluded.envelope ELSE candidates.envelope END, attempts = excluded.attempts,
       next_attempt_us = excluded.next_attempt_us, code = excluded.code, details = excluded.details,
       payment = excluded.payment
     RETURNING id`,
    session.itemId(candidate.hash),
    candidate.identity,
    candidate.envelopeText,
    candidate.contentText,
    session.addresses.intern(candidate.sender),
    ORIGIN_CODE[candidate.origin],
    candidate.receptionMicros,
    state.attempts,
    state.nextAttemptMicros,
    state.code,
    state.detailsText,
    state.paymentText,
  );
  if (row === undefined) throw new Error("A candidate was not stored");
  setWaits(session, row.id, state.waits);
  return row.id;
}

/**
 * Another reception of a copy that is queued: it keeps its turn, its attempts and what it waits for, so that sending
 * it again neither hurries nor prolongs anything. False when it is not queued.
 */
export function touchQueued(session: WriterSession, candidate: NewCandidate): boolean {
  const { changes } = session.connection.run(
    `UPDATE candidates SET content = coalesce(?, content),
       envelope = CASE WHEN (length(?), ?) < (length(envelope), envelope) THEN ? ELSE envelope END
     WHERE identity = ? AND next_attempt_us IS NOT NULL`,
    candidate.contentText,
    candidate.envelopeText,
    candidate.envelopeText,
    candidate.envelopeText,
    candidate.identity,
  );
  return changes > 0;
}

/** Keeps the number of queued copies of a type. */
export function countQueued(session: WriterSession, type: MessageType, n: number): void {
  session.counters.add("candidates", 0, MESSAGE_TYPE_CODE[type], n);
}

/** The envelope of a copy that a statement found queued, else null. */
interface QueuedRow {
  readonly queued: string | null;
}

const QUEUED = "CASE WHEN next_attempt_us IS NOT NULL THEN envelope END AS queued";

function countOut(session: WriterSession, rows: readonly QueuedRow[]): void {
  for (const { queued } of rows) if (queued !== null) countQueued(session, typeOfEnvelope(queued), -1);
}

/** The envelope of a copy that a statement found idle, and that is now queued; else null. */
interface IdleRow {
  readonly idle: string | null;
}

const IDLE = "CASE WHEN next_attempt_us IS NULL THEN envelope END AS idle";

function countIn(session: WriterSession, rows: readonly IdleRow[]): void {
  for (const { idle } of rows) if (idle !== null) countQueued(session, typeOfEnvelope(idle), 1);
}

/** The code for which a copy was given up; undefined when it is queued or not known. */
export function givenUpCode(session: WriterSession, identity: Uint8Array): number | null | undefined {
  return session.connection.get<{ code: number | null }>(
    "SELECT code FROM candidates WHERE identity = ? AND next_attempt_us IS NULL",
    identity,
  )?.code;
}

function setWaits(session: WriterSession, candidateId: number, waits: readonly string[]): void {
  session.connection.run("DELETE FROM waits WHERE candidate_id = ?", candidateId);
  for (const key of new Set(waits)) {
    session.connection.run("INSERT INTO waits (key, candidate_id) VALUES (?, ?)", key, candidateId);
  }
}

/** Takes one candidate out of the queue. */
export function deleteCandidate(session: WriterSession, id: number): void {
  countOut(session, session.connection.all(`DELETE FROM candidates WHERE id = ? RETURNING ${QUEUED}`, id));
  session.connection.run("DELETE FROM waits WHERE candidate_id = ?", id);
}

/** Takes a copy that was settled out of the queue, or makes it due when it is written more tersely than that one. */
export function settleCandidate(
  session: WriterSession,
  identity: Uint8Array,
  envelopeText: string,
  nowMicros: bigint,
): void {
  const row = session.connection.get<{ id: number; terser: number; idle: string | null }>(
    `SELECT id, (length(envelope), envelope) < (length(?), ?) AS terser, ${IDLE} FROM candidates WHERE identity = ?`,
    envelopeText,
    envelopeText,
    identity,
  );
  if (row === undefined) return;
  if (row.terser === 0) {
    deleteCandidate(session, row.id);
    return;
  }
  countIn(session, [row]);
  session.connection.run("UPDATE candidates SET next_attempt_us = ? WHERE id = ?", nowMicros, row.id);
}

/** Takes all candidates of an item out of the queue. */
export function dropCandidates(session: WriterSession, hash: string): void {
  const itemId = session.findItem(hash);
  if (itemId === null) return;
  session.connection.run(
    "DELETE FROM waits WHERE candidate_id IN (SELECT id FROM candidates WHERE item_id = ?)",
    itemId,
  );
  countOut(
    session,
    session.connection.all(`DELETE FROM candidates WHERE item_id = ? RETURNING ${QUEUED}`, itemId),
  );
}

/** Makes the candidates that wait for any of `keys` due now; returns how many. */
export function wakeCandidates(session: WriterSession, keys: Iterable<string>, nowMicros: bigint): number {
  const waiting = new Map<number, IdleRow>();
  session.connection.together(
    [...keys].map((key) => () => {
      for (const row of waitingFor(session, key)) waiting.set(row.id, row);
    }),
  );
  countIn(session, [...waiting.values()]);
  for (const id of waiting.keys()) {
    session.connection.run("UPDATE candidates SET next_attempt_us = ? WHERE id = ?", nowMicros, id);
  }
  return waiting.size;
}

function waitingFor(session: WriterSession, key: string): (IdleRow & { readonly id: number })[] {
  return session.connection.all(
    `SELECT id, ${IDLE} FROM waits CROSS JOIN candidates WHERE key = ? AND id = candidate_id`,
    key,
  );
}

/** How many copies of an item are candidates, and how many of those are still queued. */
export function countCandidates(session: WriterSession, hash: string): { total: number; queued: number } {
  const itemId = session.findItem(hash);
  if (itemId === null) return { total: 0, queued: 0 };
  const row = session.connection.get<{ total: number; queued: number }>(
    "SELECT count(*) AS total, count(next_attempt_us) AS queued FROM candidates WHERE item_id = ?",
    itemId,
  );
  return row ?? { total: 0, queued: 0 };
}

/** A copy of an item as its place among the others is decided. */
export interface RivalCandidate {
  readonly id: number;
  readonly envelopeText: string;
  readonly contentText: string | null;
  readonly code: number | null;
}

/** All candidates of an item. */
export function rivalCandidates(session: WriterSession, hash: string): RivalCandidate[] {
  const itemId = session.findItem(hash);
  if (itemId === null) return [];
  return session.connection
    .all<{ id: number; envelope: string; content: string | null; code: number | null }>(
      "SELECT id, envelope, content, code FROM candidates WHERE item_id = ? ORDER BY id",
      itemId,
    )
    .map(({ id, envelope, content, code }) => ({ id, envelopeText: envelope, contentText: content, code }));
}

/**
 * Erases the retained copies of messages of which this node has not learned of a FORGET since `beforeMicros`.
 *
 * @param limit copies erased at most, so that the writer is not held up
 * @returns how many were erased
 */
export function eraseRetained(session: WriterSession, beforeMicros: bigint, limit: number): number {
  return session.connection.run(
    `DELETE FROM candidates WHERE id IN (
       SELECT c.id FROM candidates c WHERE c.code = ${ERROR_TABLE.FORGOTTEN_DUPLICATE.code} AND c.next_attempt_us IS NULL
         AND NOT EXISTS (SELECT 1 FROM events e WHERE e.item_id = c.item_id AND e.kind = ${EVENT_CODE.forgotten} AND e.at_us >= ?)
       LIMIT ?)`,
    beforeMicros,
    limit,
  ).changes;
}
