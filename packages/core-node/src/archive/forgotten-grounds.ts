import { decodeItemHash, ERROR_TABLE, encodeItemHash, isItemHash } from "@twentysix/protocol";
import type { PreparedContent, PreparedMessage, StateRules } from "@twentysix/state";
import { MESSAGE_TYPE_CODE, type SqlConnection } from "@twentysix/storage";
import type { CopyJob } from "../pipeline/writer/jobs.ts";

/*
 * Of a forgotten message nothing is left that could be judged again. What rested on one when it was accepted is
 * taken as it was, if and only if that message is known as forgotten.
 */

/**
 * Without canonical order a FORGET that names aggregates hits the elements that there are. Those are gone, so it is
 * given their hashes as far as they were elements of an aggregate that it names.
 */
export function withForgottenElements(stored: SqlConnection, rules: StateRules, job: CopyJob): CopyJob {
  if (rules.canonicalOrder || job.copy.kind !== "message") return job;
  const { message } = job.copy;
  const { detail } = message.content;
  if (detail.kind !== "FORGET" || detail.aggregates.length === 0) return job;
  const elements = detail.aggregates.flatMap((name) => forgottenElements(stored, message, name));
  const hashes = [...new Set([...detail.hashes, ...elements])];
  const content = { ...message.content, detail: { ...detail, hashes, aggregates: [] } };
  return { ...job, copy: { kind: "message", message: { ...message, content } } };
}

function forgottenElements(
  stored: SqlConnection,
  { envelope, content }: PreparedMessage,
  name: string,
): string[] {
  const rows = stored.all<{ hash: Uint8Array }>(
    `SELECT i.hash FROM items f JOIN forgets r ON r.forget_id = f.id JOIN forgotten g ON g.id = r.item_id
     JOIN items i ON i.id = g.id JOIN addresses a ON a.id = g.owner_id JOIN labels l ON l.id = g.label_id
     WHERE f.hash = ? AND g.type = ? AND a.address = ? AND l.label = ?`,
    encodeItemHash(envelope.itemHash),
    MESSAGE_TYPE_CODE.AGGREGATE,
    content.owner,
    name,
  );
  return rows.map((row) => decodeItemHash(row.hash));
}

/**
 * Was the message refused, in a replay, for want of a message that is forgotten now? Under canonical order never:
 * there such a refusal would have come over it anyhow.
 */
export function restsOnForgotten(
  stored: SqlConnection,
  rules: StateRules,
  { content }: PreparedMessage,
  code: number,
): boolean {
  if (rules.canonicalOrder) return false;
  if (code === ERROR_TABLE.PERMISSION_DENIED.code) {
    return grantersOf(stored, content).some((owner) => hasForgottenDelegation(stored, owner));
  }
  const hashes = groundsOf(rules, content);
  return hashes.some((hash) => isForgotten(stored, hash));
}

/** The messages that must be there for a message to be accepted. */
function groundsOf(rules: StateRules, { detail, ref }: PreparedContent): string[] {
  const hashes = ref !== null && isItemHash(ref, rules) ? [ref] : [];
  if (!("references" in detail)) return hashes;
  if (detail.replaces !== null) hashes.push(detail.replaces);
  return [...hashes, ...detail.references.map(({ hash }) => hash)];
}

/** Whose delegations a message relied on: those of its owner, a FORGET on those of the owners of its targets. */
function grantersOf(stored: SqlConnection, { detail, owner }: PreparedContent): string[] {
  if (detail.kind !== "FORGET") return [owner];
  return detail.hashes.flatMap((hash) => {
    const query = `SELECT a.address FROM items i JOIN forgotten f ON f.id = i.id JOIN addresses a ON a.id = f.owner_id
      WHERE i.hash = ?`;
    return stored.all<{ address: string }>(query, encodeItemHash(hash)).map(({ address }) => address);
  });
}

function hasForgottenDelegation(stored: SqlConnection, owner: string): boolean {
  const row = stored.get(
    `SELECT 1 FROM forgotten f JOIN addresses a ON a.id = f.owner_id JOIN labels l ON l.id = f.label_id
     WHERE a.lower = ? AND l.label = 'security' AND f.type = ?`,
    owner.toLowerCase(),
    MESSAGE_TYPE_CODE.AGGREGATE,
  );
  return row !== undefined;
}

function isForgotten(stored: SqlConnection, hash: string): boolean {
  const query = "SELECT 1 FROM items i JOIN forgotten f ON f.id = i.id WHERE i.hash = ?";
  return stored.get(query, encodeItemHash(hash)) !== undefined;
}
