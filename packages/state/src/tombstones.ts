import { compareVersions, type LiveMessage, type Version } from "./facts.ts";
import { forgottenDate } from "./forgotten-date.ts";
import type { PreparedMessage } from "./prepared.ts";
import type { StateContext } from "./rules.ts";
import { type Need, pairKey, type World } from "./world.ts";

/*
 * Under canonical order a FORGET that names an aggregate is a standing one: the elements of that owner and key
 * that come before it in the canonical order are forgotten, whenever they arrive and whether or not they would
 * have been accepted. Those after it are the aggregate's new life.
 */

/** What must be known before `coveringTombstones` of an element of this aggregate. */
export const tombstoneNeeds = (owner: string, name: string): Need[] => [
  { table: "tombstones", key: pairKey(owner, name) },
];

/** The standing FORGETs that cover an element. Needs `tombstoneNeeds`; none for other types. */
export function coveringTombstones(world: World, message: PreparedMessage): readonly Version[] {
  const { content, envelope } = message;
  if (content.detail.kind !== "AGGREGATE") return [];
  const element: Version = { hash: envelope.itemHash, timeMicros: content.timeMicros };
  return tombstonesOver(world, content.owner, content.detail.key, element);
}

/** The standing FORGETs over an aggregate that cover an element of it. Needs `tombstoneNeeds`. */
export function tombstonesOver(
  world: World,
  owner: string,
  name: string,
  element: Version,
): readonly Version[] {
  const all = world.facts.tombstones.get(pairKey(owner, name)) ?? [];
  return all.filter((tombstone) => compareVersions(element, tombstone) < 0);
}

/** What must be known before a FORGET of an aggregate by name is applied or taken back. */
export const namedAggregateNeeds = (owner: string, name: string): Need[] => [
  ...tombstoneNeeds(owner, name),
  { table: "elementsOf", key: pairKey(owner, name) },
  { table: "forgottenElements", key: pairKey(owner, name) },
];

/** Elements that this node knows, live or forgotten, and that a FORGET by name covers. */
export function coveredElements(world: World, owner: string, name: string, forget: Version): string[] {
  const key = pairKey(owner, name);
  const known: readonly Version[] = [
    ...(world.index.elementsOf.get(key) ?? []),
    ...(world.index.forgottenElements.get(key) ?? []),
  ];
  return known.filter((element) => compareVersions(element, forget) < 0).map((element) => element.hash);
}

/** Puts the FORGET up over the aggregates that it names; what waits there unaccepted is judged again. */
export function addTombstones(world: World, owner: string, names: readonly string[], forget: Version): void {
  for (const name of new Set(names)) {
    const key = pairKey(owner, name);
    const others = (world.facts.tombstones.get(key) ?? []).filter(({ hash }) => hash !== forget.hash);
    world.facts.tombstones.set(key, [...others, forget]);
  }
  if (names.length > 0) world.wakes.add(`security:${owner}`);
}

/** Takes the FORGET away again. */
export function dropTombstones(world: World, owner: string, names: readonly string[], forget: string): void {
  for (const name of new Set(names)) {
    const key = pairKey(owner, name);
    const others = (world.facts.tombstones.get(key) ?? []).filter(({ hash }) => hash !== forget);
    world.facts.tombstones.set(key, others.length === 0 ? null : others);
  }
}

/** Keeps the list of forgotten elements in step, where it is known. */
export function noteForgottenElement(
  world: World,
  live: Pick<LiveMessage, "owner" | "label" | "contentTimeMicros">,
  hash: string,
): void {
  const key = pairKey(live.owner, live.label ?? "");
  const known = world.index.forgottenElements.peek(key);
  if (known === undefined) return;
  world.index.forgottenElements.set(key, [...(known ?? []), { hash, timeMicros: live.contentTimeMicros }]);
}

/** Notes which standing FORGETs hide an element that has just been recorded as forgotten. */
export function hideBehind(
  world: World,
  context: StateContext,
  hash: string,
  covering: readonly Version[],
): void {
  world.facts.forgets.set(
    hash,
    covering.map((forget) => forget.hash),
  );
  const first = [...covering].sort(compareVersions)[0];
  const hidden = world.facts.items.get(hash);
  if (first !== undefined && hidden?.forgotten) {
    const forgottenMicros = forgottenDate(world, context, first, null);
    world.facts.items.set(hash, { ...hidden, forgotten: { ...hidden.forgotten, forgottenMicros } });
  }
  for (const forget of covering) {
    const targets = world.index.forgetTargets.peek(forget.hash);
    if (targets !== undefined) world.index.forgetTargets.set(forget.hash, [...(targets ?? []), hash]);
    world.events.push({ hash, kind: "forgotten", cause: { by: forget.hash } });
  }
}
