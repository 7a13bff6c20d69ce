import { encodeItemHash } from "@twentysix/protocol";
import {
  type AggregateElement,
  type AggregateFact,
  type AmendFact,
  type Change,
  type FieldFact,
  type PostFact,
  pairKey,
  splitPairKey,
  type VmFact,
  type World,
} from "@twentysix/state";
import { MESSAGE_TYPE_CODE } from "../codes.ts";
import { encodeRef } from "../ref-bytes.ts";
import { isText } from "../sql/is-text.ts";
import { loadTags } from "./load-messages.ts";
import type { WriterSession } from "./writer-session.ts";

/** Writes a post and the tags it shows. */
export function savePost(session: WriterSession, world: World, change: Change<PostFact>): void {
  const isAmended = change.after !== null && change.after.current.hash !== change.key;
  if (change.before !== null || isAmended) session.dirty.note("post", change.key);
  const id = session.itemId(change.key);
  const { before, after } = change;
  countPost(session, before, -1);
  countPost(session, after, 1);
  if (before !== null) session.connection.run("DELETE FROM post_tags WHERE post_id = ?", id);
  if (after === null) {
    session.connection.run("DELETE FROM posts WHERE id = ?", id);
    return;
  }
  session.connection.run(
    `INSERT INTO posts (id, owner_id, type_id, channel_id, ref, created_us, current_id, updated_us, tags_id)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET channel_id = excluded.channel_id, current_id = excluded.current_id,
       updated_us = excluded.updated_us, tags_id = excluded.tags_id`,
    id,
    session.addresses.intern(after.owner),
    session.labels.intern(after.type),
    session.channels.internNullable(after.channel),
    after.ref === null ? null : encodeRef(after.ref),
    after.createdMicros,
    session.itemId(after.current.hash),
    after.current.timeMicros,
    session.itemId(after.tagged.hash),
  );
  const tags = world.facts.items.peek(after.tagged.hash)?.live?.tags;
  for (const tag of new Set(tags ?? loadTags(session, session.itemId(after.tagged.hash)))) {
    session.connection.run(
      "INSERT INTO post_tags (tag_id, updated_us, post_id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
      session.labels.intern(tag),
      after.current.timeMicros,
      id,
    );
  }
}

function countPost(session: WriterSession, post: PostFact | null, n: number): void {
  if (post === null) return;
  session.counters.add("posts", 0, 0, n);
  session.counters.add("postType", session.labels.intern(post.type), 0, n);
  session.counters.add("postOwner", session.addresses.intern(post.owner), 0, n);
}

export function saveAmend(session: WriterSession, change: Change<AmendFact>): void {
  const id = session.itemId(change.key);
  if (change.after === null) {
    session.connection.run("DELETE FROM amends WHERE id = ?", id);
    return;
  }
  session.connection.run(
    `INSERT INTO amends (id, target_id, time_us) VALUES (?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET target_id = excluded.target_id, time_us = excluded.time_us`,
    id,
    session.itemId(change.after.target),
    change.after.timeMicros,
  );
}

function aggregateIds(session: WriterSession, pair: string): [ownerId: number, keyId: number, field: string] {
  const [owner = "", key = "", field = ""] = splitPairKey(pair);
  return [session.addresses.intern(owner), session.labels.intern(key), field];
}

export function saveAggregate(session: WriterSession, change: Change<AggregateFact>): void {
  session.dirty.note("aggregate", change.key);
  const [ownerId, keyId] = aggregateIds(session, change.key);
  if (change.before === null) session.counters.add("aggregates", 0, 0, 1);
  if (change.after === null) {
    session.counters.add("aggregates", 0, 0, -1);
    session.connection.run("DELETE FROM aggregates WHERE owner_id = ? AND key_id = ?", ownerId, keyId);
    return;
  }
  session.connection.run(
    `INSERT INTO aggregates (owner_id, key_id, created_us, updated_us, first_id, last_id)
     VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (owner_id, key_id) DO UPDATE SET created_us = excluded.created_us, updated_us = excluded.updated_us,
       first_id = excluded.first_id, last_id = excluded.last_id`,
    ownerId,
    keyId,
    change.after.first.timeMicros,
    change.after.last.timeMicros,
    session.itemId(change.after.first.hash),
    session.itemId(change.after.last.hash),
  );
}

export function saveElement(session: WriterSession, change: Change<AggregateElement>): void {
  const id = session.itemId(change.key);
  if (change.after === null) {
    session.connection.run("DELETE FROM aggregate_elements WHERE id = ?", id);
    return;
  }
  session.connection.run(
    "INSERT INTO aggregate_elements (id, owner_id, key_id, time_us) VALUES (?, ?, ?, ?)",
    id,
    session.addresses.intern(change.after.owner),
    session.labels.intern(change.after.key),
    change.after.timeMicros,
  );
}

export function saveField(session: WriterSession, change: Change<FieldFact>): void {
  const [owner = "", aggregate = ""] = splitPairKey(change.key);
  session.dirty.note("aggregate", pairKey(owner, aggregate));
  const [ownerId, keyId, field] = aggregateIds(session, change.key);
  const place = [ownerId, keyId, field, field];
  const isPlace = `owner_id = ? AND key_id = ? AND ${isText(session.connection, "field")}`;
  if (change.after === null) {
    session.connection.run(`DELETE FROM aggregate_fields WHERE ${isPlace}`, ...place);
    return;
  }
  const winner = [change.after.timeMicros, session.itemId(change.after.hash), change.after.valueText];
  if (change.before === null) {
    session.connection.run(
      "INSERT INTO aggregate_fields (owner_id, key_id, field, time_us, item_id, value) VALUES (?, ?, ?, ?, ?, ?)",
      ownerId,
      keyId,
      field,
      ...winner,
    );
  } else {
    session.connection.run(
      `UPDATE aggregate_fields SET time_us = ?, item_id = ?, value = ? WHERE ${isPlace}`,
      ...winner,
      ...place,
    );
  }
}

export function saveVm(session: WriterSession, change: Change<VmFact>): void {
  session.dirty.note("vm", change.after?.original ?? change.before?.original ?? change.key);
  const id = session.itemId(change.key);
  if (change.before !== null) {
    session.connection.run("DELETE FROM vms WHERE id = ?", id);
    session.connection.run("DELETE FROM vm_refs WHERE vm_id = ?", id);
  }
  const vm = change.after;
  if (vm === null) return;
  session.connection.run(
    "INSERT INTO vms (id, type, owner_id, original_id, allow_amend, created_us, triggers) VALUES (?, ?, ?, ?, ?, ?, ?)",
    id,
    MESSAGE_TYPE_CODE[vm.type],
    session.addresses.intern(vm.owner),
    vm.original === change.key ? id : (session.findItem(vm.original) ?? id),
    vm.allowAmend ? 1 : 0,
    vm.createdMicros,
    vm.triggers,
  );
  for (const reference of vm.references) {
    session.connection.run(
      "INSERT INTO vm_refs (ref, vm_id, kind) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
      encodeItemHash(reference.hash),
      id,
      reference.kind,
    );
  }
}
