import type { ItemFact, Version } from "./facts.ts";
import { hideUnseen } from "./forget-item.ts";
import { type Needing, need, type Outcome } from "./outcome.ts";
import type { PreparedMessage } from "./prepared.ts";
import { bestCopy } from "./rank-copies.ts";
import type { StateContext } from "./rules.ts";
import { parentOfContent } from "./target.ts";
import { coveringTombstones, hideBehind, tombstoneNeeds } from "./tombstones.ts";
import { missingFacts, type World } from "./world.ts";

/*
 * Under canonical order a message can be forgotten before it arrives: an amend of a forgotten post, an update of
 * a forgotten VM, an element of an aggregate that a FORGET names. It is then recorded as forgotten at once.
 */

/** @returns the hash of the forgotten original of a message, null when there is none, or the facts that are missing */
export function forgottenParent(
  world: World,
  context: StateContext,
  message: PreparedMessage,
): string | null | Needing {
  if (!context.rules.canonicalOrder) return null;
  const parent = parentOfContent(message);
  if (parent === null) return null;
  const missing = missingFacts(world, [
    { table: "items", key: parent },
    { table: "candidates", key: parent },
    { table: "candidates", key: message.envelope.itemHash },
  ]);
  if (missing.length > 0) return need(missing);
  const original = world.forgotten(parent);
  return original !== null && original.type === message.envelope.type ? parent : null;
}

/**
 * Records a message as forgotten with its original. Its texts are kept only while those of the original are:
 * behind the FORGET of a delegate that may yet be taken back.
 */
export function applyForgottenChild(
  world: World,
  context: StateContext,
  message: PreparedMessage,
  item: ItemFact | null,
  parent: string,
): Outcome {
  const hash = message.envelope.itemHash;
  const retain = world.isRetained(parent);
  arrive(world, context, message, item, parent, retain);
  const children = world.index.forgottenChildren.peek(parent);
  if (children !== undefined) world.index.forgottenChildren.set(parent, [...(children ?? []), hash]);
  world.events.push({ hash, kind: "forgotten", cause: { with: parent } });
  return { kind: "forgotten", retained: retain };
}

/** @returns the standing FORGETs by name that cover a message, or the facts that are missing */
export function standingForgets(
  world: World,
  context: StateContext,
  message: PreparedMessage,
): readonly Version[] | Needing {
  const { detail, owner } = message.content;
  if (!context.rules.canonicalOrder || detail.kind !== "AGGREGATE") return [];
  const missing = missingFacts(world, tombstoneNeeds(owner, detail.key));
  if (missing.length > 0) return need(missing);
  const covering = coveringTombstones(world, message);
  if (covering.length === 0) return [];
  const hash = message.envelope.itemHash;
  const further = missingFacts(world, [
    { table: "candidates", key: hash },
    { table: "forgets", key: hash },
    ...covering.map((forget) => ({ table: "delegations" as const, key: forget.hash })),
    ...covering.map((forget) => ({ table: "items" as const, key: forget.hash })),
  ]);
  return further.length > 0 ? need(further) : covering;
}

/** Records an element as forgotten by the FORGETs that stand over its aggregate. */
export function applyForgottenElement(
  world: World,
  context: StateContext,
  message: PreparedMessage,
  item: ItemFact | null,
  covering: readonly Version[],
): Outcome {
  const hash = message.envelope.itemHash;
  const retain = covering.every((forget) => world.facts.delegations.get(forget.hash) !== null);
  arrive(world, context, message, item, null, retain);
  hideBehind(world, context, hash, covering);
  return { kind: "forgotten", retained: retain };
}

function arrive(
  world: World,
  context: StateContext,
  message: PreparedMessage,
  item: ItemFact | null,
  parent: string | null,
  retain: boolean,
): void {
  const hash = message.envelope.itemHash;
  const { envelopeText, contentText } = message;
  const known = world.index.candidates.get(hash) ?? [];
  const copies = [
    ...known.filter((copy) => copy.envelopeText !== envelopeText),
    { envelopeText, contentText, retained: false },
  ];
  const shown = bestCopy(context, copies) ?? message;
  world.index.candidates.set(hash, copies);
  hideUnseen(world, shown, item, { parent, retain, receptionMicros: context.nowMicros });
  world.wakes.add(`item:${hash}`);
}
