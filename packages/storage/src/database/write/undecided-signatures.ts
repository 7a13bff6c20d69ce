import { ERROR_TABLE } from "@twentysix/protocol";
import type { WriterSession } from "./writer-session.ts";

/** What a chain has said of the signature of a queued copy. */
export interface SignatureDecision {
  readonly candidateId: number;
  /** Why the signature is invalid; null: it is valid. */
  readonly refusal: string | null;
}

const UNDECIDED = ERROR_TABLE.SIGNATURE_UNDECIDED.code;
const INVALID = ERROR_TABLE.INVALID_SIGNATURE.code;

/** Of copies whose signature is valid: others say nothing about their message. */
export const IS_VOUCHED_FOR = `code IS DISTINCT FROM ${UNDECIDED} AND code IS DISTINCT FROM ${INVALID}`;

/** Copies whose signatures nobody has decided about. */
export function countUndecided(session: WriterSession): number {
  const row = session.connection.get<{ n: number }>(
    `SELECT count(*) AS n FROM candidates WHERE code = ${UNDECIDED}`,
  );
  return row?.n ?? 0;
}

/** From now on the copy is judged, or refused, at its next turn, which is now. Nothing when it waits no longer. */
export function decideSignature(
  session: WriterSession,
  { candidateId, refusal }: SignatureDecision,
  nowMicros: bigint,
): void {
  session.connection.run(
    `UPDATE candidates SET code = ?, details = ?, attempts = 0, next_attempt_us = ?
     WHERE id = ? AND code = ${UNDECIDED} AND next_attempt_us IS NOT NULL`,
    refusal === null ? null : INVALID,
    refusal,
    nowMicros,
    candidateId,
  );
}
