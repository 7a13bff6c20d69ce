import { dependentsOf, retractDerived, retractionNeeds } from "./derived.ts";
import { compareVersions, type LiveMessage, type Version } from "./facts.ts";
import { forgottenDate } from "./forgotten-date.ts";
import type { ForgetDetail } from "./prepared.ts";
import type { StateContext } from "./rules.ts";
import { dropTombstones, tombstoneNeeds } from "./tombstones.ts";
import { type Need, pairKey, tableOf, type World } from "./world.ts";

/*
 * Only under canonical order: a delegation that turns out not to have been in force takes back what relied on
 * it. The copies go back to the queue and are judged again like any other.
 */

/** What must be known before a live message can be taken back with everything that rests on it. */
export function retractNeeds(world: World, context: StateContext, hash: string): Need[] {
  const item = world.facts.items.peek(hash);
  if (item === undefined) return [{ table: "items", key: hash }];
  if (item === null || item.live === null) return [];
  const needs: Need[] = [
    ...retractionNeeds(world, context, hash, item.live),
    { table: "candidates", key: hash },
  ];
  if (item.live.type === "FORGET") return [...needs, ...restoreNeeds(world, context, hash)];
  return [...needs, ...restingNeeds(world, context, hash, item.live)];
}

function restingNeeds(
  world: World,
  context: StateContext,
  hash: string,
  live: Pick<LiveMessage, "type" | "label">,
): Need[] {
  const needs = lookupsOfResting(hash, live);
  if (!needs.every((need) => tableOf(world, need.table).has(need.key))) return needs;
  return [...needs, ...restingOn(world, hash, live).flatMap((one) => retractNeeds(world, context, one))];
}

function lookupsOfResting(hash: string, live: Pick<LiveMessage, "type" | "label">): Need[] {
  switch (live.type) {
    case "STORE":
      return [
        { table: "vmUsers", key: hash },
        { table: "tagPins", key: hash },
      ];
    case "POST":
      return live.label === "amend" ? [] : [{ table: "amendsOf", key: hash }];
    case "AGGREGATE":
    case "FORGET":
      return [];
    default:
      return [{ table: "vmVersions", key: hash }];
  }
}

/** Live messages whose acceptance rests on `hash`. */
function restingOn(world: World, hash: string, live: Pick<LiveMessage, "type" | "label">): readonly string[] {
  if (live.type !== "STORE") return dependentsOf(world, hash, live);
  const revisions = (world.index.tagPins.get(hash) ?? [])
    .map((pin) => pin.hash)
    .filter((pin) => pin !== hash);
  return [...revisions, ...(world.index.vmUsers.get(hash) ?? [])];
}

/** Takes a live message back to the queue, with everything that rests on it. */
export function retractItem(world: World, context: StateContext, hash: string, cause: string): void {
  const item = world.facts.items.get(hash);
  if (item === null || item.live === null) return;
  if (item.live.type === "FORGET") restoreTargets(world, context, hash);
  else retractResting(world, context, hash, item.live, cause);
  retractDerived(world, context, hash, item.live, { erase: false });
  world.queueCopies(hash, world.facts.copies.get(hash) ?? [], false);
  world.facts.copies.set(hash, []);
  world.facts.items.set(hash, { ...item, status: "pending", live: null });
  // What was refused because of it is judged again as well.
  world.wakes.add(`item:${hash}`);
  world.events.push({ hash, kind: "retracted", cause: { because: cause } });
}

function retractResting(
  world: World,
  context: StateContext,
  hash: string,
  live: Pick<LiveMessage, "type" | "label">,
  cause: string,
): void {
  for (const dependent of new Set(restingOn(world, hash, live)))
    retractItem(world, context, dependent, cause);
}

/** The owner and the contents of a live FORGET. */
function forgetOf(
  world: World,
  context: StateContext,
  hash: string,
): { readonly owner: string; readonly detail: ForgetDetail } | null {
  const copy = (world.facts.copies.peek(hash) ?? []).find((one) => one.served);
  const message = copy === undefined ? null : context.prepare(copy.envelopeText, copy.contentText);
  if (message === null || message.content.detail.kind !== "FORGET") return null;
  return { owner: message.content.owner, detail: message.content.detail };
}

function restoreNeeds(world: World, context: StateContext, forget: string): Need[] {
  const targets = world.index.forgetTargets.peek(forget);
  if (targets === undefined) return [{ table: "forgetTargets", key: forget }];
  const needs: Need[] = [];
  const named = forgetOf(world, context, forget);
  for (const name of named?.detail.aggregates ?? [])
    for (const each of tombstoneNeeds(named?.owner ?? "", name)) needs.push(each);
  for (const target of targets ?? []) {
    for (const each of hiddenNeeds(world, context, target)) needs.push(each);
    for (const other of world.facts.forgets.peek(target) ?? []) needs.push({ table: "items", key: other });
    needs.push({ table: "forgottenChildren", key: target });
    for (const child of world.index.forgottenChildren.peek(target) ?? [])
      for (const each of hiddenNeeds(world, context, child)) needs.push(each);
  }
  return needs;
}

function hiddenNeeds(world: World, context: StateContext, hash: string): Need[] {
  const forgotten = world.facts.items.peek(hash)?.forgotten ?? null;
  return [
    { table: "items", key: hash },
    { table: "forgets", key: hash },
    { table: "candidates", key: hash },
    ...(forgotten === null ? [] : restingNeeds(world, context, hash, forgotten)),
  ];
}

/** The FORGET no longer holds: what only it hid comes back from the retained copies. */
function restoreTargets(world: World, context: StateContext, forget: string): void {
  const named = forgetOf(world, context, forget);
  if (named !== null) dropTombstones(world, named.owner, named.detail.aggregates, forget);
  for (const target of world.index.forgetTargets.get(forget) ?? []) {
    const rest = (world.facts.forgets.get(target) ?? []).filter((hash) => hash !== forget);
    world.facts.forgets.set(target, rest);
    redate(world, context, target, rest);
    if (rest.length > 0) continue;
    restore(world, context, target, forget);
    for (const child of world.index.forgottenChildren.get(target) ?? []) {
      if ((world.facts.forgets.get(child) ?? []).length === 0) restore(world, context, child, forget);
    }
  }
  world.index.forgetTargets.set(forget, []);
}

/** The first of the remaining FORGETs in canonical order dates the forgetting; none, when only its parent is left. */
function redate(world: World, context: StateContext, target: string, forgets: readonly string[]): void {
  const item = world.facts.items.get(target);
  if (item === null || item.forgotten === null) return;
  let first: Version | null = null;
  for (const hash of forgets) {
    const live = world.live(hash);
    if (live === null) continue;
    const version = { hash, timeMicros: live.contentTimeMicros };
    if (first === null || compareVersions(version, first) < 0) first = version;
  }
  const forgottenMicros = first === null ? null : forgottenDate(world, context, first, null);
  world.facts.items.set(target, { ...item, forgotten: { ...item.forgotten, forgottenMicros } });
}

/**
 * Puts a forgotten message back into the queue, and with it what rested on its having been forgotten. One whose
 * texts are gone becomes unknown again: whoever has a copy may send it.
 */
function restore(world: World, context: StateContext, hash: string, forget: string): void {
  const item = world.facts.items.get(hash);
  if (item === null || item.forgotten === null) return;
  const { forgotten } = item;
  retractResting(world, context, hash, forgotten, `without:${forget}`);
  const copies = world.index.candidates.get(hash) ?? [];
  world.dropCandidates(hash);
  world.queueCopies(hash, copies, false);
  const status = copies.length > 0 ? "pending" : "rejected";
  world.facts.items.set(hash, { ...item, status, forgotten: null });
  if (forgotten.type === "AGGREGATE") dropForgottenElement(world, hash, forgotten);
  world.wakes.add(`item:${hash}`);
  world.events.push({ hash, kind: "retracted", cause: { without: forget } });
}

function dropForgottenElement(
  world: World,
  hash: string,
  { owner, label }: { readonly owner: string; readonly label: string | null },
): void {
  const key = pairKey(owner, label ?? "");
  const known = world.index.forgottenElements.peek(key);
  if (known === undefined) return;
  world.index.forgottenElements.set(
    key,
    (known ?? []).filter((element) => element.hash !== hash),
  );
}
