import { decodeItemHash, encodeItemHash, MESSAGE_TYPES } from "@twentysix/protocol";
import {
  type AggregateElement,
  type AggregateFact,
  type AmendFact,
  type ElementFact,
  type FieldFact,
  type PostFact,
  type SecurityElement,
  splitPairKey,
  type VmFact,
} from "@twentysix/state";
import { decodeRef } from "../ref-bytes.ts";
import { isText } from "../sql/is-text.ts";
import { hashOfItem } from "./load-messages.ts";
import type { ReadElementFields } from "./stored-content.ts";
import type { WriterSession } from "./writer-session.ts";

interface PostRow {
  readonly owner_id: bigint;
  readonly type_id: bigint;
  readonly channel_id: bigint | null;
  readonly ref: Uint8Array | null;
  readonly created_us: bigint;
  readonly current_id: bigint;
  readonly updated_us: bigint;
  readonly tags_id: bigint;
  readonly tagged_us: bigint;
}

export function loadPost(session: WriterSession, hash: string): PostFact | null {
  const id = session.findItem(hash);
  if (id === null) return null;
  const row = session.connection.getBig<PostRow>(
    `SELECT p.owner_id, p.type_id, p.channel_id, p.ref, p.created_us, p.current_id, p.updated_us, p.tags_id,
            m.content_time_us AS tagged_us
     FROM posts p JOIN messages m ON m.id = p.tags_id WHERE p.id = ?`,
    id,
  );
  if (row === undefined) return null;
  return {
    owner: session.addresses.text(Number(row.owner_id)),
    type: session.labels.text(Number(row.type_id)),
    channel: row.channel_id === null ? null : session.channels.text(Number(row.channel_id)),
    ref: row.ref === null ? null : decodeRef(row.ref),
    createdMicros: row.created_us,
    current: { hash: hashOfItem(session, Number(row.current_id)), timeMicros: row.updated_us },
    tagged: { hash: hashOfItem(session, Number(row.tags_id)), timeMicros: row.tagged_us },
  };
}

const AMEND_SELECT = `
  SELECT i.hash, t.hash AS target, a.time_us,
         EXISTS (SELECT 1 FROM message_tags g WHERE g.message_id = a.id) AS tagged
  FROM amends a JOIN items i ON i.id = a.id JOIN items t ON t.id = a.target_id`;

interface AmendRow {
  readonly hash: Uint8Array;
  readonly target: Uint8Array;
  readonly time_us: bigint;
  readonly tagged: bigint;
}

const amendOf = (row: AmendRow): AmendFact => ({
  hash: decodeItemHash(row.hash),
  target: decodeItemHash(row.target),
  timeMicros: row.time_us,
  hasTags: row.tagged !== 0n,
});

export function loadAmend(session: WriterSession, hash: string): AmendFact | null {
  const id = session.findItem(hash);
  if (id === null) return null;
  const row = session.connection.getBig<AmendRow>(`${AMEND_SELECT} WHERE a.id = ?`, id);
  return row === undefined ? null : amendOf(row);
}

export function loadAmendsOf(session: WriterSession, target: string): AmendFact[] {
  const id = session.findItem(target);
  if (id === null) return [];
  return session.connection.allBig<AmendRow>(`${AMEND_SELECT} WHERE a.target_id = ?`, id).map(amendOf);
}

/** Ids of the owner and key of an aggregate, or null when either was never interned. */
function aggregateIds(
  session: WriterSession,
  pair: string,
): { ownerId: number; keyId: number; field: string } | null {
  const [owner = "", key = "", field = ""] = splitPairKey(pair);
  const ownerId = session.addresses.find(owner);
  const keyId = session.labels.find(key);
  return ownerId === null || keyId === null ? null : { ownerId, keyId, field };
}

export function loadAggregate(session: WriterSession, pair: string): AggregateFact | null {
  const ids = aggregateIds(session, pair);
  if (ids === null) return null;
  const row = session.connection.getBig<{
    created_us: bigint;
    updated_us: bigint;
    first_id: bigint;
    last_id: bigint;
  }>(
    "SELECT created_us, updated_us, first_id, last_id FROM aggregates WHERE owner_id = ? AND key_id = ?",
    ids.ownerId,
    ids.keyId,
  );
  if (row === undefined) return null;
  return {
    first: { hash: hashOfItem(session, Number(row.first_id)), timeMicros: row.created_us },
    last: { hash: hashOfItem(session, Number(row.last_id)), timeMicros: row.updated_us },
  };
}

/** All top-level fields of an aggregate; null when there is none of that name. */
export function loadAggregateContents(
  session: WriterSession,
  key: string,
): (readonly [name: string, valueText: string])[] | null {
  const [owner = "", name = ""] = splitPairKey(key);
  const ownerId = session.addresses.find(owner);
  const keyId = session.labels.find(name);
  if (ownerId === null || keyId === null) return null;
  const rows = session.connection.all<{ field: string; value: string }>(
    "SELECT field, value FROM aggregate_fields WHERE owner_id = ? AND key_id = ?",
    ownerId,
    keyId,
  );
  return rows.length === 0 ? null : rows.map(({ field, value }) => [field, value] as const);
}

export function loadField(session: WriterSession, pair: string): FieldFact | null {
  const ids = aggregateIds(session, pair);
  if (ids === null) return null;
  const row = session.connection.getBig<{ time_us: bigint; item_id: bigint; value: string }>(
    `SELECT time_us, item_id, value FROM aggregate_fields WHERE owner_id = ? AND key_id = ? AND ${isText(session.connection, "field")}`,
    ids.ownerId,
    ids.keyId,
    ids.field,
    ids.field,
  );
  if (row === undefined) return null;
  return { hash: hashOfItem(session, Number(row.item_id)), timeMicros: row.time_us, valueText: row.value };
}

export function loadElement(session: WriterSession, hash: string): AggregateElement | null {
  const id = session.findItem(hash);
  if (id === null) return null;
  const row = session.connection.getBig<{ owner_id: bigint; key_id: bigint; time_us: bigint }>(
    "SELECT owner_id, key_id, time_us FROM aggregate_elements WHERE id = ?",
    id,
  );
  if (row === undefined) return null;
  return {
    owner: session.addresses.text(Number(row.owner_id)),
    key: session.labels.text(Number(row.key_id)),
    timeMicros: row.time_us,
  };
}

interface ElementRow {
  readonly hash: Uint8Array;
  readonly time_us: bigint;
  readonly envelope: string;
  readonly content: string | null;
}

/** All elements of an aggregate with their fields, read again from the stored texts. */
export function loadElementsOf(session: WriterSession, pair: string, read: ReadElementFields): ElementFact[] {
  const ids = aggregateIds(session, pair);
  if (ids === null) return [];
  return session.connection
    .allBig<ElementRow>(
      `SELECT i.hash, e.time_us, c.envelope, c.content
       FROM aggregate_elements e JOIN items i ON i.id = e.id JOIN messages m ON m.id = e.id JOIN copies c ON c.id = m.copy_id
       WHERE e.owner_id = ? AND e.key_id = ?`,
      ids.ownerId,
      ids.keyId,
    )
    .map((row) => ({
      hash: decodeItemHash(row.hash),
      timeMicros: row.time_us,
      fields: read(row.envelope, row.content),
    }));
}

/** The delegations that an owner ever granted, one element each. */
export function loadSecurity(
  session: WriterSession,
  owner: string,
  read: ReadElementFields,
): SecurityElement[] {
  return loadElementsOf(
    session,
    `${owner.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}\nsecurity`,
    read,
  ).flatMap((element) => {
    const value = element.fields.find(([field]) => field === "authorizations");
    return value === undefined
      ? []
      : [{ hash: element.hash, timeMicros: element.timeMicros, authorizationsText: value[1] }];
  });
}

export function loadVm(session: WriterSession, hash: string): VmFact | null {
  const id = session.findItem(hash);
  if (id === null) return null;
  const row = session.connection.getBig<{
    type: bigint;
    owner_id: bigint;
    original_id: bigint;
    allow_amend: bigint;
    created_us: bigint;
    triggers: string | null;
  }>("SELECT type, owner_id, original_id, allow_amend, created_us, triggers FROM vms WHERE id = ?", id);
  const type = row === undefined ? undefined : MESSAGE_TYPES[Number(row.type)];
  if (row === undefined || type === undefined) return null;
  return {
    type,
    owner: session.addresses.text(Number(row.owner_id)),
    original: hashOfItem(session, Number(row.original_id)),
    allowAmend: row.allow_amend !== 0n,
    createdMicros: row.created_us,
    triggers: row.triggers,
    references: session.connection
      .all<{ ref: Uint8Array; kind: string }>("SELECT ref, kind FROM vm_refs WHERE vm_id = ?", id)
      .map((reference) => ({ hash: decodeItemHash(reference.ref), kind: reference.kind })),
  };
}

/** Live VMs that reference a STORE message. */
export function loadVmUsers(session: WriterSession, storeHash: string): string[] {
  return session.connection
    .all<{ hash: Uint8Array }>(
      "SELECT DISTINCT i.hash FROM vm_refs r JOIN items i ON i.id = r.vm_id WHERE r.ref = ?",
      encodeItemHash(storeHash),
    )
    .map((row) => decodeItemHash(row.hash));
}

/** Updates of a deployment, oldest first. */
export function loadVmVersions(session: WriterSession, original: string): string[] {
  const id = session.findItem(original);
  if (id === null) return [];
  return session.connection
    .all<{ hash: Uint8Array }>(
      "SELECT i.hash FROM vms v JOIN items i ON i.id = v.id WHERE v.original_id = ? AND v.id <> ? ORDER BY v.created_us",
      id,
      id,
    )
    .map((row) => decodeItemHash(row.hash));
}
