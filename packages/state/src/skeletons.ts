import type { ForgottenMessage, ItemFact, Version } from "./facts.ts";
import type { StateContext } from "./rules.ts";
import { bestCandidate } from "./target.ts";
import { hideBehind, noteForgottenElement, tombstoneNeeds, tombstonesOver } from "./tombstones.ts";
import type { Need, World } from "./world.ts";

/*
 * Skeletons come along with a FORGET: what its source has kept of the messages that it hides. A FORGET is judged
 * over them as it would be over the messages themselves, and only one that holds makes them part of the state. So
 * nothing is ever forgotten on the strength of a skeleton alone, but what it says beyond its signature is believed.
 */

/** What another node has kept of a message that it forgot. */
export interface Skeleton {
  readonly hash: string;
  readonly message: ForgottenMessage;
}

/** What must be known before skeletons are laid out. */
export function skeletonNeeds(skeletons: readonly Skeleton[]): Need[] {
  return skeletons.flatMap(({ hash, message: { parent, type, owner, label } }): Need[] => [
    { table: "items", key: hash },
    { table: "candidates", key: hash },
    { table: "forgets", key: hash },
    ...(parent === null ? [] : [{ table: "items" as const, key: parent }]),
    ...(type === "AGGREGATE" ? tombstoneNeeds(owner, label ?? "") : []),
  ]);
}

/** Lays out the skeletons of messages of which nothing better is known here. */
export function layOutSkeletons(world: World, context: StateContext, skeletons: readonly Skeleton[]): void {
  for (const { hash, message } of skeletons) {
    if (!isSettled(world.facts.items.get(hash)) && bestCandidate(world, context, hash) === null)
      world.skeletons.set(hash, message);
  }
}

const isSettled = (item: ItemFact | null): boolean =>
  item !== null && (item.live !== null || item.forgotten !== null || item.status === "removed");

/** Skeletons of elements of an aggregate. */
export function skeletonElements(world: World, owner: string, name: string): Version[] {
  return [...world.skeletons].flatMap(([hash, { type, owner: whose, label, contentTimeMicros }]) =>
    type === "AGGREGATE" && whose === owner && label === name
      ? [{ hash, timeMicros: contentTimeMicros }]
      : [],
  );
}

/** Makes a message of which a skeleton is laid out a forgotten one; returns the FORGETs by name that cover it as well. */
export function takeSkeleton(world: World, context: StateContext, hash: string): readonly Version[] {
  const message = world.skeletons.get(hash);
  if (message === undefined) throw new Error(`There is no skeleton of ${hash}`);
  world.skeletons.delete(hash);
  const item = world.facts.items.get(hash);
  world.dropCandidates(hash);
  if (message.type === "AGGREGATE") noteForgottenElement(world, message, hash);
  world.facts.items.set(hash, {
    status: "forgotten",
    receptionMicros: item?.receptionMicros ?? context.nowMicros,
    live: null,
    forgotten: { ...message, forgottenMicros: null },
  });
  world.wakes.add(`item:${hash}`);
  return context.rules.canonicalOrder ? coveringSkeleton(world, hash, message) : [];
}

function coveringSkeleton(world: World, hash: string, message: ForgottenMessage): readonly Version[] {
  const { type, owner, label, contentTimeMicros } = message;
  if (type !== "AGGREGATE") return [];
  return tombstonesOver(world, owner, label ?? "", { hash, timeMicros: contentTimeMicros });
}

/** Takes the skeletons of what was forgotten with `parent`, and with those in turn. */
export function takeSkeletonsWith(world: World, context: StateContext, parent: string): void {
  const type = world.forgotten(parent)?.type;
  for (const [hash, message] of world.skeletons) {
    if (message.parent !== parent || message.type !== type) continue;
    takeSkeleton(world, context, hash);
    const children = world.index.forgottenChildren.peek(parent);
    if (children !== undefined) world.index.forgottenChildren.set(parent, [...(children ?? []), hash]);
    world.events.push({ hash, kind: "forgotten", cause: { with: parent } });
    takeSkeletonsWith(world, context, hash);
  }
}

/**
 * Takes those skeletons that are left and that this node would have forgotten on arrival had they been messages: of
 * what belongs to a forgotten original, and of elements that a standing FORGET covers. Only under canonical order
 * can a message be forgotten after its FORGET.
 */
export function takeCoveredSkeletons(world: World, context: StateContext): void {
  if (!context.rules.canonicalOrder) return;
  for (const [hash, message] of world.skeletons) {
    const { parent } = message;
    if (parent !== null && world.facts.items.has(parent)) takeSkeletonsWith(world, context, parent);
    if (!world.skeletons.has(hash) || coveringSkeleton(world, hash, message).length === 0) continue;
    hideBehind(world, context, hash, takeSkeleton(world, context, hash));
  }
}
