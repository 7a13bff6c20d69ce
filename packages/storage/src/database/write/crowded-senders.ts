import { decodeItemHash } from "@twentysix/protocol";
import { ORIGIN_CODE, type Origin } from "../codes.ts";
import { countQueued } from "./candidates.ts";
import { typeOfEnvelope } from "./envelope-type.ts";
import { IS_VOUCHED_FOR } from "./undecided-signatures.ts";
import type { WriterSession } from "./writer-session.ts";

/** A queued copy that is given up to make room, with the reason for which it waited. */
export interface CrowdedCandidate {
  readonly id: number;
  readonly hash: string;
  readonly attempts: number;
  readonly code: number | null;
  readonly detailsText: string | null;
}

/** What the operator or a chain brought is not held against its senders. */
const NOT_LIVE: readonly Origin[] = ["import", "onchain"];

export const isLive = (origin: Origin): boolean => !NOT_LIVE.includes(origin);

/** As the index `candidates_sender` spells it. */
const LIVE_OF_SENDER = `sender_id = ? AND next_attempt_us IS NOT NULL AND origin NOT IN (${NOT_LIVE.map((origin) => ORIGIN_CODE[origin]).join(", ")}) AND ${IS_VOUCHED_FOR}`;

interface CrowdedRow {
  readonly id: number;
  readonly hash: Uint8Array;
  readonly attempts: number;
  readonly code: number | null;
  readonly details: string | null;
}

/** The live copy of a sender with more than `max` in the queue that was tried most often; null while there is room. */
export function crowdedCandidate(
  session: WriterSession,
  sender: string,
  max: number,
): CrowdedCandidate | null {
  const senderId = session.addresses.find(sender);
  const queued = session.connection.get<{ n: number }>(
    `SELECT count(*) AS n FROM candidates WHERE ${LIVE_OF_SENDER}`,
    senderId,
  );
  if ((queued?.n ?? 0) <= max) return null;
  const row = session.connection.get<CrowdedRow>(
    `SELECT c.id, i.hash, c.attempts, c.code, c.details
     FROM (SELECT * FROM candidates WHERE ${LIVE_OF_SENDER} ORDER BY attempts DESC, id LIMIT 1) AS c
     CROSS JOIN items AS i WHERE i.id = c.item_id`,
    senderId,
  );
  if (row === undefined) return null;
  return { ...row, hash: decodeItemHash(row.hash), detailsText: row.details };
}

/** Tries a copy no more until it is woken or sent again. */
export function giveUpCandidate(session: WriterSession, id: number): void {
  const row = session.connection.get<{ envelope: string }>(
    "UPDATE candidates SET next_attempt_us = NULL WHERE id = ? AND next_attempt_us IS NOT NULL RETURNING envelope",
    id,
  );
  if (row !== undefined) countQueued(session, typeOfEnvelope(row.envelope), -1);
}
