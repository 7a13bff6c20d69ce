import { dependentsOf, retractDerived, retractionNeeds } from "./derived.ts";
import { compareVersions, type ItemFact, type LiveMessage, type Version } from "./facts.ts";
import type { StateContext } from "./rules.ts";
import { type Need, tableOf, type World } from "./world.ts";

/*
 * Only under canonical order: a delegation that turns out not to have been in force takes back what relied on
 * it. The copies go back to the queue and are judged again like any other.
 */

/** What must be known before a live message can be taken back with everything that rests on it. */
export function retractNeeds(world: World, hash: string): Need[] {
  const item = world.facts.items.peek(hash);
  if (item === undefined) return [{ table: "items", key: hash }];
  if (item === null || item.live === null) return [];
  const needs = retractionNeeds(world, hash, item.live);
  if (item.live.type === "FORGET") return [...needs, ...restoreNeeds(world, hash)];
  if (item.live.type === "STORE")
    needs.push({ table: "vmUsers", key: hash }, { table: "tagPins", key: hash });
  if (needs.every((need) => tableOf(world, need.table).has(need.key))) {
    for (const dependent of restingOn(world, hash, item.live)) needs.push(...retractNeeds(world, dependent));
  }
  return needs;
}

/** Messages whose acceptance rests on `hash`. */
function restingOn(world: World, hash: string, live: LiveMessage): readonly string[] {
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
  if (item.live.type === "FORGET") {
    restoreTargets(world, hash);
  } else {
    for (const dependent of new Set(restingOn(world, hash, item.live))) {
      retractItem(world, context, dependent, cause);
    }
  }
  retractDerived(world, context, hash, item.live);
  requeueCopies(world, hash, item);
  world.events.push({ hash, kind: "retracted", cause: { because: cause } });
}

function requeueCopies(world: World, hash: string, item: ItemFact): void {
  const copies = world.facts.copies.get(hash) ?? [];
  for (const { envelopeText, contentText } of copies) {
    world.requeued.push({ hash, envelopeText, contentText, retained: false });
  }
  const waiting = world.index.candidates.peek(hash);
  if (waiting !== undefined) world.index.candidates.set(hash, [...(waiting ?? []), ...copies]);
  world.facts.copies.set(hash, []);
  world.facts.items.set(hash, { ...item, status: "pending", live: null });
}

function restoreNeeds(world: World, forget: string): Need[] {
  const targets = world.index.forgetTargets.peek(forget);
  if (targets === undefined) return [{ table: "forgetTargets", key: forget }];
  const needs: Need[] = [];
  for (const target of targets ?? []) {
    needs.push({ table: "items", key: target }, { table: "forgets", key: target });
    needs.push({ table: "candidates", key: target }, { table: "forgottenChildren", key: target });
    for (const other of world.facts.forgets.peek(target) ?? []) needs.push({ table: "items", key: other });
    for (const child of world.index.forgottenChildren.peek(target) ?? []) {
      needs.push(
        { table: "items", key: child },
        { table: "forgets", key: child },
        { table: "candidates", key: child },
      );
    }
  }
  return needs;
}

/** The FORGET no longer holds: what only it hid comes back from the retained copies. */
function restoreTargets(world: World, forget: string): void {
  for (const target of world.index.forgetTargets.get(forget) ?? []) {
    const rest = (world.facts.forgets.get(target) ?? []).filter((hash) => hash !== forget);
    world.facts.forgets.set(target, rest);
    if (rest.length > 0) {
      redate(world, target, rest);
      continue;
    }
    const parent = world.forgotten(target)?.parent ?? null;
    if (parent !== null && world.facts.items.peek(parent)?.status === "forgotten") continue;
    restore(world, target, forget);
    for (const child of world.index.forgottenChildren.get(target) ?? []) {
      if ((world.facts.forgets.get(child) ?? []).length === 0) restore(world, child, forget);
    }
  }
  world.index.forgetTargets.set(forget, []);
}

/** The first of the remaining FORGETs in canonical order dates the forgetting. */
function redate(world: World, target: string, forgets: readonly string[]): void {
  const item = world.facts.items.get(target);
  if (item === null || item.forgotten === null) return;
  let first: (Version & { readonly envelopeMicros: bigint }) | null = null;
  for (const hash of forgets) {
    const live = world.live(hash);
    if (live === null) continue;
    const forget = { hash, timeMicros: live.contentTimeMicros, envelopeMicros: live.timeMicros };
    if (first === null || compareVersions(forget, first) < 0) first = forget;
  }
  const forgottenMicros = first?.envelopeMicros ?? null;
  world.facts.items.set(target, { ...item, forgotten: { ...item.forgotten, forgottenMicros } });
}

function restore(world: World, hash: string, forget: string): void {
  const item = world.facts.items.get(hash);
  if (item === null) return;
  const copies = world.index.candidates.get(hash) ?? [];
  world.dropped.add(hash);
  for (const copy of copies) world.requeued.push({ hash, ...copy, retained: false });
  world.facts.items.set(hash, { ...item, status: "pending", forgotten: null });
  world.events.push({ hash, kind: "retracted", cause: { without: forget } });
}
