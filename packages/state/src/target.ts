import type { ForgottenMessage, LiveMessage } from "./facts.ts";
import type { PreparedMessage } from "./prepared.ts";
import { bestCopy } from "./rank-copies.ts";
import type { StateContext } from "./rules.ts";
import type { World } from "./world.ts";

/** What the rules of FORGET look at in a target, wherever the target stands. */
export type Target = Pick<LiveMessage, "type" | "chain" | "owner" | "channel" | "label">;

/**
 * The target of a FORGET, or null when it is not there to be forgotten.
 *
 * Live and forgotten messages count. Under canonical order so does any well-formed, correctly signed copy that
 * is waiting or was refused: whether it would have been accepted depends on what else has arrived, and must not
 * decide whether its forgetting holds. And so does the skeleton of a message that is unknown here.
 */
export function findTarget(world: World, context: StateContext, hash: string): Target | null {
  const skeleton = world.skeletons.get(hash);
  if (skeleton !== undefined) return skeleton;
  const item = world.facts.items.get(hash);
  if (item === null) return null;
  if (item.live !== null) return item.live;
  if (item.forgotten !== null) {
    return context.rules.idempotentForget || context.rules.canonicalOrder ? item.forgotten : null;
  }
  if (!context.rules.canonicalOrder) return null;
  const candidate = bestCandidate(world, context, hash);
  return candidate === null ? null : liveMessageOf(candidate);
}

/** The candidate copy that ranks first, whose content is known. Needs `candidates` of the item. */
export function bestCandidate(world: World, context: StateContext, hash: string): PreparedMessage | null {
  return bestCopy(context, world.index.candidates.get(hash) ?? []);
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

/** What outlives a forgotten message, but for the date. `parent` is what it revises, `fileSizeBytes` is for a STORE. */
export function forgottenSnapshot(
  live: LiveMessage,
  signature: string | null,
  parent: string | null,
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
    size: live.type === "STORE" ? (fileSizeBytes ?? 0) : live.size,
    contentHash: live.contentHash,
    parent,
    revises: parent !== null || (live.type === "STORE" && live.ref !== null),
    forgottenMicros: null,
  };
}

/** What a message revises, as its content says: the original of an amend, the VM that an update replaces. */
export function parentOfContent(message: PreparedMessage): string | null {
  const detail = message.content.detail;
  if (detail.kind === "POST") return detail.amends;
  return "replaces" in detail ? detail.replaces : null;
}
