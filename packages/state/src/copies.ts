import { type MessageError, messageError } from "@twentysix/protocol";
import { actorOf } from "./authorise.ts";
import { authorityOf, type RankedCopy } from "./authority.ts";
import type { CopyFact, ItemFact, LiveMessage } from "./facts.ts";
import { checkLedgerPost } from "./ledger/apply-ledger-post.ts";
import { need, type Outcome, reject } from "./outcome.ts";
import type { PreparedMessage } from "./prepared.ts";
import { compareCopies } from "./rank-copies.ts";
import type { StateContext } from "./rules.ts";
import { serveNeeds, serveRanked } from "./serve.ts";
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
  const missing = missingFacts(world, [{ table: "copies", key: hash }]);
  if (missing.length > 0) return need(missing);
  const copies = world.facts.copies.get(hash) ?? [];
  if (copies.some((copy) => copy.envelopeText === message.envelopeText))
    return { kind: "confirmed", stored: false };
  const known = copies.map((copy) => ({ copy, message: preparedCopy(context, hash, copy) }));
  if (context.rules.canonicalOrder) {
    return rankCopy(
      world,
      context,
      message,
      item,
      live,
      known.map((one) => one.message),
    );
  }
  if (known.some((one) => isSameCopy(one.message, message))) return { kind: "confirmed", stored: false };
  const served = known.find((one) => one.copy.served)?.message;
  if (served !== undefined && !isSameSignature(served, message)) {
    return reject(signedOtherwise());
  }
  return storeCopy(world, context, hash, copies, message);
}

/** Refusal (1) of a valid copy whose signature is not the one that was accepted. */
export const signedOtherwise = (): MessageError =>
  messageError("INVALID_SIGNATURE", { errors: ["The message was accepted with another signature"] });

/** A stored copy in the form that rules look at. */
export function preparedCopy(context: StateContext, hash: string, copy: CopyFact): PreparedMessage {
  const message = context.prepare(copy.envelopeText, copy.contentText);
  if (message === null) throw new Error(`A stored copy of ${hash} can no longer be read`);
  return message;
}

function rankCopy(
  world: World,
  context: StateContext,
  message: PreparedMessage,
  item: ItemFact,
  live: LiveMessage,
  known: readonly PreparedMessage[],
): Outcome {
  const hash = message.envelope.itemHash;
  const twin = known.find((one) => isSameCopy(one, message));
  if (twin !== undefined && compareCopies(twin, message) <= 0) return { kind: "confirmed", stored: false };
  const ranked: RankedCopy[] = [];
  const stale: PreparedMessage[] = [];
  for (const copy of [message, ...known]) {
    if (copy === twin) continue;
    const authority = authorityOf(world, context, copy);
    if (authority.kind === "need") return authority;
    if (authority.kind === "granted") ranked.push({ message: copy, owners: authority.owners });
    else if (copy === message) return authority;
    else stale.push(copy);
  }
  const missing = missingFacts(world, serveNeeds(world, context, hash, live));
  if (missing.length > 0) return need(missing);
  const acts = live.type === "POST" ? checkLedgerPost(world, context, message) : null;
  if (acts?.kind === "need") return acts;
  serveRanked(world, context, hash, item, live, ranked);
  if (stale.length > 0) world.queueCopies(hash, stale, false);
  const stored = (world.facts.copies.get(hash) ?? []).some(
    (copy) => copy.envelopeText === message.envelopeText,
  );
  if (stored) world.events.push({ hash, kind: "copy", cause: { sender: actorOf(message).sender } });
  return { kind: "confirmed", stored };
}

const isSameSignature = (a: PreparedMessage, b: PreparedMessage): boolean =>
  a.signatureId === b.signatureId &&
  a.envelope.sender === b.envelope.sender &&
  a.envelope.chain === b.envelope.chain;

/** Equal but for the layout of the text. */
function isSameCopy(a: PreparedMessage, b: PreparedMessage): boolean {
  return (
    isSameSignature(a, b) &&
    a.envelope.signature === b.envelope.signature &&
    a.envelope.timeMicros === b.envelope.timeMicros &&
    a.envelope.channel === b.envelope.channel &&
    a.envelope.itemType === b.envelope.itemType
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
