import type { ForgottenMessage, LiveMessage } from "./facts.ts";
import type { PreparedMessage } from "./prepared.ts";
import type { StateContext } from "./rules.ts";
import type { World } from "./world.ts";

/** What the rules of FORGET look at in a target, wherever the target stands. */
export type Target = Pick<LiveMessage, "type" | "chain" | "sender" | "owner" | "channel" | "label">;

/**
 * The target of a FORGET, or null when it is not there to be forgotten.
 *
 * Live and forgotten messages count. Under canonical order so does any well-formed, correctly signed copy that
 * is waiting or was refused: whether it would have been accepted depends on what else has arrived, and must not
 * decide whether its forgetting holds.
 */
export function findTarget(world: World, context: StateContext, hash: string): Target | null {
  const item = world.facts.items.get(hash);
  if (item === null) return null;
  if (item.live !== null) return item.live;
  if (item.forgotten !== null) {
    return context.rules.idempotentForget || context.rules.canonicalOrder ? item.forgotten : null;
  }
  if (!context.rules.canonicalOrder) return null;
  const candidate = bestCandidate(world, context, hash);
  return candidate === null ? null : targetOf(candidate);
}

/** What a copy would become, as far as FORGET looks at it. */
function targetOf(message: PreparedMessage): Target {
  const { envelope, content } = message;
  return {
    type: envelope.type,
    chain: envelope.chain,
    sender: envelope.sender,
    owner: content.owner,
    channel: envelope.channel,
    label: content.label,
  };
}

/** The candidate copy that ranks first, whose content is known. Needs `candidates` of the item. */
export function bestCandidate(world: World, context: StateContext, hash: string): PreparedMessage | null {
  let best: PreparedMessage | null = null;
  for (const candidate of world.index.candidates.get(hash) ?? []) {
    const message = context.prepare(candidate.envelopeText, candidate.contentText);
    if (message !== null && (best === null || compareCopies(message, best) < 0)) best = message;
  }
  return best;
}

/**
 * The rank of two valid copies of one message; the lesser is the one to serve.
 *
 * What the author signed decides first: a copy signed by the owner, then one whose envelope time is nearest to
 * the signed content time (relays can write any), then plain text order of what is left.
 */
export function compareCopies(a: PreparedMessage, b: PreparedMessage): number {
  return (
    Number(signedByOwner(b)) - Number(signedByOwner(a)) ||
    compare(timeError(a), timeError(b)) ||
    compare(a.envelope.timeMicros, b.envelope.timeMicros) ||
    compare(a.envelope.itemType, b.envelope.itemType) ||
    compare(a.envelope.chain, b.envelope.chain) ||
    compare(a.envelope.sender, b.envelope.sender) ||
    compareChannels(a.envelope.channel, b.envelope.channel) ||
    compare(a.signatureId, b.signatureId) ||
    compare(a.envelope.signature ?? "", b.envelope.signature ?? "") ||
    compare(a.envelopeText, b.envelopeText)
  );
}

const signedByOwner = (message: PreparedMessage): boolean =>
  message.envelope.sender.toLowerCase() === message.content.owner.toLowerCase();

function timeError(message: PreparedMessage): bigint {
  const difference = message.envelope.timeMicros - message.content.timeMicros;
  return difference < 0n ? -difference : difference;
}

function compare<T extends string | bigint>(a: T, b: T): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** A channel before none, so that leaving it out gains nothing. */
function compareChannels(a: string | null, b: string | null): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  return compare(a, b);
}

/** Snapshot that outlives a forgotten message. `fileSizeBytes` is given for a STORE. */
export function forgottenSnapshot(
  live: LiveMessage,
  signature: string | null,
  parent: string | null,
  revises: boolean,
  fileSizeBytes: number | null,
): ForgottenMessage {
  return {
    type: live.type,
    chain: live.chain,
    sender: live.sender,
    owner: live.owner,
    channel: live.channel,
    label: live.label,
    itemType: live.itemType,
    paymentType: live.paymentType ?? "hold",
    signature,
    timeMicros: live.timeMicros,
    contentTimeMicros: live.contentTimeMicros,
    size: fileSizeBytes ?? live.size,
    parent,
    revises,
    forgottenMicros: null,
  };
}

/** What is kept of a message beside its texts. */
export function liveMessageOf(message: PreparedMessage): LiveMessage {
  const { envelope, content } = message;
  return {
    type: envelope.type,
    chain: envelope.chain,
    sender: envelope.sender,
    owner: content.owner,
    channel: envelope.channel,
    label: content.label,
    ref: content.ref,
    contentHash: content.detail.kind === "STORE" ? content.detail.fileHash : null,
    itemType: envelope.itemType,
    paymentType: content.paymentType,
    timeMicros: envelope.timeMicros,
    contentTimeMicros: content.timeMicros,
    size: content.size,
    sizeBytes: content.sizeBytes,
    tags: content.tags,
  };
}
