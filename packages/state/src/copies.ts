import { messageError } from "@twentysix/protocol";
import { actorOf, checkPermission } from "./authorise.ts";
import type { CopyFact, ItemFact, LiveMessage } from "./facts.ts";
import { need, type Outcome, reject } from "./outcome.ts";
import type { PreparedMessage } from "./prepared.ts";
import type { StateContext } from "./rules.ts";
import { compareCopies, liveMessageOf } from "./target.ts";
import { missingFacts, type World } from "./world.ts";

/**
 * A further valid copy of a live message.
 *
 * Without canonical order the first accepted copy stays, and a copy with another signature is refused (1). With
 * it every distinct copy counts and the one that ranks first is served, whichever came first.
 */
export function addCopy(
  world: World,
  context: StateContext,
  message: PreparedMessage,
  item: ItemFact,
  live: LiveMessage,
): Outcome {
  const hash = message.envelope.itemHash;
  const missing = missingFacts(world, [
    { table: "copies", key: hash },
    { table: "posts", key: hash },
    { table: "delegations", key: hash },
  ]);
  if (missing.length > 0) return need(missing);
  const copies = world.facts.copies.get(hash) ?? [];
  const known = copies.map((copy) => ({ copy, message: prepared(context, copy) }));
  if (known.some((one) => isSameCopy(one.message, message))) return { kind: "confirmed", stored: false };
  if (!context.rules.canonicalOrder) {
    const served = known.find((one) => one.copy.served)?.message;
    if (served !== undefined && !isSameSignature(served, message)) {
      return reject(
        messageError("INVALID_SIGNATURE", { errors: ["The message was accepted with another signature"] }),
      );
    }
    return storeCopy(world, context, hash, copies, message);
  }
  const permission = checkPermission(world, context.rules, message);
  if (permission !== null) return permission;
  const ranked = [...known.map((one) => one.message), message]
    .sort(compareCopies)
    .slice(0, context.rules.maxCopies);
  if (!ranked.includes(message)) return { kind: "confirmed", stored: false };
  serveRanked(world, hash, ranked);
  if (ranked[0] === message) serveCopy(world, hash, item, live, message);
  world.events.push({ hash, kind: "copy", cause: { sender: actorOf(message).sender } });
  return { kind: "confirmed", stored: true };
}

function prepared(context: StateContext, copy: CopyFact): PreparedMessage {
  const message = context.prepare(copy.envelopeText, copy.contentText);
  if (message === null) throw new Error("A stored copy can no longer be read");
  return message;
}

const isSameSignature = (a: PreparedMessage, b: PreparedMessage): boolean =>
  a.signatureId === b.signatureId &&
  a.envelope.sender === b.envelope.sender &&
  a.envelope.chain === b.envelope.chain;

function isSameCopy(a: PreparedMessage, b: PreparedMessage): boolean {
  return (
    a.envelopeText === b.envelopeText ||
    (isSameSignature(a, b) &&
      a.envelope.signature === b.envelope.signature &&
      a.envelope.timeMicros === b.envelope.timeMicros &&
      a.envelope.channel === b.envelope.channel &&
      a.envelope.itemType === b.envelope.itemType)
  );
}

function storeCopy(
  world: World,
  context: StateContext,
  hash: string,
  copies: readonly CopyFact[],
  message: PreparedMessage,
): Outcome {
  if (copies.length >= context.rules.maxCopies) return { kind: "confirmed", stored: false };
  const copy = { envelopeText: message.envelopeText, contentText: message.contentText, served: false };
  world.facts.copies.set(hash, [...copies, copy]);
  world.events.push({ hash, kind: "copy", cause: null });
  return { kind: "confirmed", stored: true };
}

function serveRanked(world: World, hash: string, ranked: readonly PreparedMessage[]): void {
  world.facts.copies.set(
    hash,
    ranked.map((message, rank) => ({
      envelopeText: message.envelopeText,
      contentText: message.contentText,
      served: rank === 0,
    })),
  );
}

/** Moves everything that shows the envelope of the served copy. */
function serveCopy(
  world: World,
  hash: string,
  item: ItemFact,
  live: LiveMessage,
  message: PreparedMessage,
): void {
  world.facts.items.set(hash, {
    ...item,
    live: { ...liveMessageOf(message), contentTimeMicros: live.contentTimeMicros },
  });
  const post = world.facts.posts.get(hash);
  if (post !== null) world.facts.posts.set(hash, { ...post, channel: message.envelope.channel });
  const delegated = message.envelope.sender.toLowerCase() !== live.owner.toLowerCase();
  if (live.type !== "FORGET") world.facts.delegations.set(hash, delegated ? [live.owner] : null);
  if (message.envelope.channel !== live.channel) {
    world.rejudge.add(live.owner);
    world.wakes.add(`security:${live.owner}`);
  }
}
