import type { ItemFact } from "./facts.ts";
import { type Needing, need, type Outcome } from "./outcome.ts";
import type { PreparedMessage } from "./prepared.ts";
import type { StateContext } from "./rules.ts";
import { forgottenSnapshot, liveMessageOf } from "./target.ts";
import { missingFacts, type World } from "./world.ts";

/**
 * Under canonical order an amend of a forgotten post, or an update of a forgotten VM, is forgotten with it,
 * whichever arrived first.
 *
 * @returns the hash of the forgotten original, null when there is none, or the facts that are missing
 */
export function forgottenParent(
  world: World,
  context: StateContext,
  message: PreparedMessage,
): string | null | Needing {
  if (!context.rules.canonicalOrder) return null;
  const detail = message.content.detail;
  const parent = detail.kind === "POST" ? detail.amends : "replaces" in detail ? detail.replaces : null;
  if (parent === null) return null;
  const missing = missingFacts(world, [
    { table: "items", key: parent },
    { table: "candidates", key: parent },
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
  message: PreparedMessage,
  item: ItemFact | null,
  parent: string,
  nowMicros: bigint,
): Outcome {
  const hash = message.envelope.itemHash;
  const snapshot = forgottenSnapshot(liveMessageOf(message), message.envelope.signature, parent, true, null);
  world.facts.items.set(hash, {
    status: "forgotten",
    receptionMicros: item?.receptionMicros ?? nowMicros,
    live: null,
    forgotten: snapshot,
  });
  if ((world.index.candidates.get(parent) ?? []).length > 0) {
    const { envelopeText, contentText } = message;
    world.requeued.push({ hash, envelopeText, contentText, retained: true });
    if (world.index.candidates.has(hash)) world.index.candidates.set(hash, [{ envelopeText, contentText }]);
  }
  world.events.push({ hash, kind: "forgotten", cause: { with: parent } });
  world.wakes.add(`item:${hash}`);
  return { kind: "forgotten" };
}
