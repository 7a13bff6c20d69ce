import { isItemHash, messageError } from "@twentysix/protocol";
import { compareVersions, type LiveMessage, type Version } from "../facts.ts";
import { need, reject, type Stop, wait } from "../outcome.ts";
import type { PreparedMessage, StoreDetail } from "../prepared.ts";
import type { StateContext, StateRules } from "../rules.ts";
import { missingFacts, type Need, pairKey, type TagPin, type World } from "../world.ts";

/**
 * The name under which the newest revision of a file is found: the STORE itself, the STORE it revises, or
 * `<owner>/<ref>` for a name that the owner chose.
 */
export function tagOf(
  rules: Pick<StateRules, "anyCidV1">,
  hash: string,
  owner: string,
  ref: string | null,
): string {
  if (ref === null) return hash;
  return isItemHash(ref, rules) ? ref : `${owner}/${ref}`;
}

/**
 * May this STORE be applied? Its file must be here, and what it revises must be an original of the same owner.
 * Source: pyaleph `src/aleph/handlers/content/store.py`.
 */
export function checkStore(
  world: World,
  context: StateContext,
  message: PreparedMessage,
  detail: StoreDetail,
): Stop {
  const { content, envelope } = message;
  const revised = content.ref !== null && isItemHash(content.ref, context.rules) ? content.ref : null;
  const tag = tagOf(context.rules, envelope.itemHash, content.owner, content.ref);
  const missing = missingFacts(world, [
    { table: "files", key: detail.fileHash },
    { table: "tags", key: tag },
    ...(revised === null ? [] : [{ table: "items" as const, key: revised }]),
  ]);
  if (missing.length > 0) return need(missing);
  if (world.index.files.get(detail.fileHash) === null) {
    return wait(
      messageError("FILE_UNAVAILABLE", {
        errors: [`File not found: ${detail.fileHash} (not held by this node)`],
      }),
      [`file:${detail.fileHash}`],
    );
  }
  return revised === null ? null : checkRevision(world, context, content.owner, revised);
}

function checkRevision(world: World, context: StateContext, owner: string, revised: string): Stop {
  const live = world.live(revised);
  const forgotten = context.rules.canonicalOrder ? world.forgotten(revised) : null;
  const original = live ?? forgotten;
  if (original === null || original.type !== "STORE") {
    return wait(messageError("STORE_REF_NOT_FOUND", { errors: [revised] }), [`item:${revised}`]);
  }
  const revises = live === null ? (forgotten?.revises ?? false) : live.ref !== null;
  const waits = [`item:${revised}`];
  if (revises) return reject(messageError("STORE_UPDATE_UPDATE", null), waits);
  if (original.owner === owner) return null;
  return reject(
    messageError("PERMISSION_DENIED", {
      errors: [`Owner ${owner} may not revise a file of address ${original.owner}`],
    }),
    waits,
  );
}

/**
 * Pins the file for its owner and moves the tag when this revision is the newest. A grace pin has done its
 * service; forgetting the message makes a new one.
 */
export function applyStore(
  world: World,
  context: StateContext,
  message: PreparedMessage,
  detail: StoreDetail,
): void {
  const { content, envelope } = message;
  const tag = tagOf(context.rules, envelope.itemHash, content.owner, content.ref);
  const key = pairKey("message", envelope.itemHash, detail.fileHash);
  world.facts.pins.load(key, null);
  world.facts.pins.set(key, {
    kind: "message",
    fileHash: detail.fileHash,
    owner: content.owner,
    ref: content.ref,
    tag,
    createdMicros: content.timeMicros,
  });
  bump(world, detail.fileHash, 1);
  endGrace(world, detail.fileHash);
  const pin: TagPin = {
    hash: envelope.itemHash,
    owner: content.owner,
    fileHash: detail.fileHash,
    createdMicros: content.timeMicros,
  };
  const pins = world.index.tagPins.peek(tag);
  if (pins !== undefined) world.index.tagPins.set(tag, [...(pins ?? []), pin]);
  const held = world.facts.tags.get(tag);
  if (held === null || compareVersions(versionOf(pin), held) > 0) setTag(world, tag, pin);
}

const versionOf = (pin: TagPin): Version => ({ timeMicros: pin.createdMicros, hash: pin.hash });

function setTag(world: World, tag: string, pin: TagPin): void {
  world.facts.tags.set(tag, { ...versionOf(pin), owner: pin.owner, fileHash: pin.fileHash });
}

/** Keeps the count of pins of a file, where it is known. */
export function bump(world: World, fileHash: string, delta: number): void {
  const count = world.index.pinsOf.peek(fileHash);
  if (count !== undefined) world.index.pinsOf.set(fileHash, (count ?? 0) + delta);
}

/** What must be known before a STORE can be taken back. */
export function storeRetractionNeeds(context: StateContext, hash: string, live: LiveMessage): Need[] {
  const fileHash = live.contentHash ?? "";
  const tag = tagOf(context.rules, hash, live.owner, live.ref);
  return [
    { table: "pins", key: pairKey("message", hash, fileHash) },
    { table: "tags", key: tag },
    { table: "tagPins", key: tag },
    { table: "pinsOf", key: fileHash },
    { table: "files", key: fileHash },
    { table: "graces", key: fileHash },
  ];
}

/** Takes the pin away, moves the tag back, and gives a file that nothing else keeps its grace period. */
export function retractStore(world: World, context: StateContext, hash: string, live: LiveMessage): void {
  const fileHash = live.contentHash ?? "";
  const tag = tagOf(context.rules, hash, live.owner, live.ref);
  world.facts.pins.set(pairKey("message", hash, fileHash), null);
  const rest = (world.index.tagPins.get(tag) ?? []).filter((pin) => pin.hash !== hash);
  world.index.tagPins.set(tag, rest);
  let newest: TagPin | null = null;
  for (const pin of rest) {
    if (newest === null || compareVersions(versionOf(pin), versionOf(newest)) > 0) newest = pin;
  }
  if (newest === null) world.facts.tags.set(tag, null);
  else setTag(world, tag, newest);
  unpin(world, context, fileHash);
}

/** Ends the grace of a file that a message keeps from now on. Needs `graces` of the file. */
export function endGrace(world: World, fileHash: string): void {
  if (world.facts.graces.get(fileHash) !== null) world.facts.graces.set(fileHash, null);
}

/** Gives a file that nothing keeps up at once. */
export const NO_GRACE = 0n;

/**
 * One pin less; the last one leaves nothing behind: the content of a forgotten message is no longer held. The grace
 * of its own upload ended when the message was applied (`endGrace`), so one that runs now is that of another upload,
 * and holds. Whoever needs the file later in the batch waits for it. Needs `pinsOf` and `graces` of the file.
 */
export function release(world: World, fileHash: string): void {
  const left = (world.index.pinsOf.get(fileHash) ?? 0) - 1;
  world.index.pinsOf.set(fileHash, left);
  if (left > 0 || world.facts.graces.get(fileHash) !== null) return;
  world.facts.graces.set(fileHash, NO_GRACE);
  world.index.files.load(fileHash, null);
  world.index.files.set(fileHash, null);
}

/** One pin less; the last one leaves a grace pin behind. Needs `pinsOf` and `graces` of the file. */
export function unpin(world: World, context: StateContext, fileHash: string): void {
  const left = (world.index.pinsOf.get(fileHash) ?? 0) - 1;
  world.index.pinsOf.set(fileHash, left);
  if (left > 0 || world.index.files.peek(fileHash) === null) return;
  world.facts.graces.set(fileHash, context.nowMicros + context.rules.gracePeriodMicros);
}
