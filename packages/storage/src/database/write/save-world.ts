import { NO_GRACE, type World } from "@twentysix/state";
import { itemLeaf } from "../merkle/leaf.ts";
import { dropCandidates } from "./candidates.ts";
import { releaseFile } from "./collect-files.ts";
import { saveBalancePart } from "./ledger/balance-parts.ts";
import { saveCost } from "./ledger/costs.ts";
import { saveEntries } from "./ledger/credit-entries.ts";
import { saveRemoval, saveRemovedBill } from "./ledger/removals.ts";
import { saveAccount, saveBalance, saveLots, savePublication } from "./ledger/save-accounts.ts";
import { loadForgets } from "./load-relations.ts";
import { saveMeasurements } from "./node-measurements.ts";
import { saveAggregate, saveAmend, saveElement, saveField, savePost, saveVm } from "./save-derived.ts";
import { addGracePin, dropGracePin, savePin, saveTag } from "./save-files.ts";
import { saveItem } from "./save-items.ts";
import { appendEvent, type CopyOrigin, saveCopies, saveDelegations, saveForgets } from "./save-relations.ts";
import { saveTombstones } from "./tombstones.ts";
import type { WriterSession } from "./writer-session.ts";

/** What the caller knows and the world does not. */
export interface SaveContext {
  readonly nowMicros: bigint;
  readonly originOf: (envelopeText: string) => CopyOrigin;
  /** Queues a copy that the world sent back. */
  readonly requeue: (copy: World["requeued"][number]) => void;
}

/** An event that was appended, for whoever follows the outbox. */
export interface AppendedEvent {
  readonly seq: number;
  readonly hash: string;
  readonly kind: World["events"][number]["kind"];
}

/** Writes every change of the world, in the order in which rows refer to each other, and settles it. */
export function saveWorld(session: WriterSession, world: World, context: SaveContext): AppendedEvent[] {
  const { facts } = world;
  prefetchNames(session, world);
  for (const change of facts.items.changes()) saveItem(session, change);
  for (const change of facts.copies.changes()) saveCopies(session, change, context.originOf);
  for (const hash of world.dropped) dropCandidates(session, hash);
  for (const copy of world.requeued) context.requeue(copy);
  for (const change of facts.forgets.changes()) saveForgets(session, change);
  for (const change of facts.delegations.changes()) saveDelegations(session, change);
  for (const change of facts.amends.changes()) saveAmend(session, change);
  for (const change of facts.posts.changes()) savePost(session, world, change);
  for (const change of facts.elements.changes()) saveElement(session, change);
  for (const change of facts.aggregates.changes()) saveAggregate(session, change);
  for (const change of facts.fields.changes()) saveField(session, change);
  for (const change of facts.pins.changes()) savePin(session, change);
  for (const change of facts.tags.changes()) saveTag(session, change);
  for (const change of facts.graces.changes()) {
    if (change.after === null) dropGracePin(session, change.key);
    else if (change.after === NO_GRACE) releaseFile(session, change.key, context.nowMicros);
    else addGracePin(session, change.key, context.nowMicros, change.after);
  }
  for (const change of facts.vms.changes()) saveVm(session, change);
  for (const change of facts.tombstones.changes()) saveTombstones(session, change);
  for (const change of facts.metrics.changes()) saveMeasurements(session, change);
  saveLedger(session, world, context.nowMicros);
  saveForgottenLeaves(session, world);
  const events = world.events.map((event) => ({
    seq: appendEvent(session, session.itemId(event.hash), event.kind, context.nowMicros, event.cause),
    hash: event.hash,
    kind: event.kind,
  }));
  world.settle();
  return events;
}

function saveLedger(session: WriterSession, { facts, balanceParts }: World, nowMicros: bigint): void {
  for (const change of facts.accounts.changes()) saveAccount(session, change);
  for (const change of facts.balances.changes()) saveBalance(session, change);
  for (const change of facts.entries.changes()) saveEntries(session, change);
  for (const change of facts.lots.changes()) saveLots(session, change);
  for (const change of facts.costs.changes()) saveCost(session, change, nowMicros);
  for (const change of facts.removals.changes()) saveRemoval(session, change);
  for (const change of facts.removedBills.changes()) saveRemovedBill(session, change);
  for (const change of facts.publications.changes()) savePublication(session, change);
  for (const part of balanceParts.values()) saveBalancePart(session.connection, part);
}

/** The names that messages which become live bring. */
function prefetchNames(session: WriterSession, world: World): void {
  const addresses: string[] = [];
  const channels: string[] = [];
  const labels: string[] = [];
  for (const { after } of world.facts.items.changes()) {
    if (after === null || after.live === null) continue;
    const { sender, owner, channel, label, tags } = after.live;
    addresses.push(sender, owner);
    if (channel !== null) channels.push(channel);
    if (label !== null) labels.push(label);
    for (const tag of tags) labels.push(tag);
  }
  session.addresses.prefetch(addresses);
  session.channels.prefetch(channels);
  session.labels.prefetch(labels);
}

/** The leaf of a forgotten message names its FORGETs, so it is written after them. */
function saveForgottenLeaves(session: WriterSession, world: World): void {
  const touched = new Set<string>();
  for (const { key, after } of world.facts.items.changes())
    if (after?.status === "forgotten") touched.add(key);
  for (const { key } of world.facts.forgets.changes()) touched.add(key);
  for (const hash of touched) {
    const item = world.facts.items.peek(hash);
    if (item?.status !== "forgotten") continue;
    const forgets = world.facts.forgets.peek(hash) ?? loadForgets(session, hash);
    session.connection.run(
      "UPDATE items SET leaf = ? WHERE id = ?",
      itemLeaf(hash, item, forgets),
      session.itemId(hash),
    );
  }
}
