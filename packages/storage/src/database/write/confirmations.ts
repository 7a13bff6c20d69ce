import { encodeItemHash } from "@twentysix/protocol";
import { UNCONFIRMED } from "../codes.ts";
import type { WriterSession } from "./writer-session.ts";

/** A link from a message to the chain transaction that carried it. */
export interface Confirmation {
  readonly hash: string;
  readonly chain: string;
  readonly txHash: string;
  readonly height: number;
  readonly timeMicros: bigint;
  readonly publisher: string;
}

/**
 * Records a confirmation whatever the status of the message, and dates the message by it when it is live.
 *
 * @returns true when it was not known yet
 */
export function putConfirmation(session: WriterSession, confirmation: Confirmation): boolean {
  const { changes } = session.connection.run(
    `INSERT INTO confirmations (hash, chain_id, tx_hash, height, time_us, publisher) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT DO NOTHING`,
    encodeItemHash(confirmation.hash),
    session.labels.intern(confirmation.chain),
    confirmation.txHash,
    confirmation.height,
    confirmation.timeMicros,
    confirmation.publisher,
  );
  attachConfirmations(session, confirmation.hash);
  return changes > 0;
}

/** Dates a live message by its earliest confirmation, if it has one. */
export function attachConfirmations(session: WriterSession, hash: string): void {
  const itemId = session.findItem(hash);
  if (itemId === null) return;
  const first = firstConfirmation(session, hash);
  if (first === undefined) return;
  session.connection.run(
    "UPDATE messages SET confirmed_us = ?, confirmed_height = ? WHERE id = ?",
    first.time_us,
    first.height,
    itemId,
  );
}

/** Dates a live message anew after confirmations have gone. */
export function redateMessage(session: WriterSession, hash: string): void {
  const itemId = session.findItem(hash);
  if (itemId === null) return;
  session.connection.run(
    "UPDATE messages SET confirmed_us = ?, confirmed_height = ? WHERE id = ?",
    UNCONFIRMED,
    UNCONFIRMED,
    itemId,
  );
  attachConfirmations(session, hash);
}

/** The earliest confirmation of a message, whatever its status. */
export function firstConfirmation(
  session: WriterSession,
  hash: string,
): { readonly time_us: bigint; readonly height: bigint } | undefined {
  return session.connection.getBig(
    "SELECT time_us, height FROM confirmations WHERE hash = ? ORDER BY time_us, height LIMIT 1",
    encodeItemHash(hash),
  );
}

/** True when any confirmation is known, so that a node without a chain never looks. */
export function hasConfirmations(session: WriterSession): boolean {
  return session.connection.get("SELECT 1 FROM confirmations LIMIT 1") !== undefined;
}
