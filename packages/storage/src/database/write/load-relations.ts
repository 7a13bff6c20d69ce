import { decodeItemHash, ERROR_TABLE, encodeItemHash } from "@twentysix/protocol";
import type { CandidateFact, CopyFact } from "@twentysix/state";
import { IS_VOUCHED_FOR } from "./undecided-signatures.ts";
import type { WriterSession } from "./writer-session.ts";

const hashesOf = (rows: readonly { readonly hash: Uint8Array }[]): string[] =>
  rows.map((row) => decodeItemHash(row.hash));

export function loadCopies(session: WriterSession, hash: string): CopyFact[] {
  const id = session.findItem(hash);
  if (id === null) return [];
  return session.connection
    .all<{ envelope: string; content: string | null; served: number }>(
      `SELECT c.envelope, c.content, c.id = m.copy_id AS served
       FROM copies c LEFT JOIN messages m ON m.id = c.item_id WHERE c.item_id = ?`,
      id,
    )
    .map((row) => ({ envelopeText: row.envelope, contentText: row.content, served: row.served === 1 }));
}

export function loadCandidates(session: WriterSession, hash: string): CandidateFact[] {
  const id = session.findItem(hash);
  if (id === null) return [];
  return session.connection
    .all<{ envelope: string; content: string | null; retained: number }>(
      `SELECT envelope, content, code IS NOT DISTINCT FROM ${ERROR_TABLE.FORGOTTEN_DUPLICATE.code} AS retained FROM candidates
       WHERE item_id = ? AND ${IS_VOUCHED_FOR}`,
      id,
    )
    .map((row) => ({
      envelopeText: row.envelope,
      contentText: row.content,
      retained: row.retained !== 0,
    }));
}

/** FORGETs that name a message. */
export function loadForgets(session: WriterSession, hash: string): string[] {
  const id = session.findItem(hash);
  if (id === null) return [];
  return hashesOf(
    session.connection.all(
      "SELECT i.hash FROM forgets f JOIN items i ON i.id = f.forget_id WHERE f.item_id = ?",
      id,
    ),
  );
}

/** Messages that a FORGET hides. */
export function loadForgetTargets(session: WriterSession, forget: string): string[] {
  const id = session.findItem(forget);
  if (id === null) return [];
  return hashesOf(
    session.connection.all(
      "SELECT i.hash FROM forgets f JOIN items i ON i.id = f.item_id WHERE f.forget_id = ?",
      id,
    ),
  );
}

export function loadForgottenChildren(session: WriterSession, parent: string): string[] {
  return hashesOf(
    session.connection.all(
      "SELECT i.hash FROM forgotten f JOIN items i ON i.id = f.id WHERE f.parent = ?",
      encodeItemHash(parent),
    ),
  );
}

/** Owners whose delegations a live message relies on; null when it relies on none. */
export function loadDelegations(session: WriterSession, hash: string): string[] | null {
  const id = session.findItem(hash);
  if (id === null) return null;
  const owners = session.connection
    .all<{ owner: string }>("SELECT owner FROM delegated_uses WHERE item_id = ?", id)
    .map((row) => row.owner);
  return owners.length === 0 ? null : owners;
}

/** Live messages that rely on the delegations of an owner. */
export function loadDelegatedUses(session: WriterSession, owner: string): string[] {
  return hashesOf(
    session.connection.all(
      "SELECT i.hash FROM delegated_uses d JOIN items i ON i.id = d.item_id WHERE d.owner = ?",
      owner,
    ),
  );
}
