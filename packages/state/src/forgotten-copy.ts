import { signatureIdentity } from "@twentysix/protocol";
import { checkPermission } from "./authorise.ts";
import type { ForgottenMessage, ItemFact } from "./facts.ts";
import { need, type Outcome } from "./outcome.ts";
import type { PreparedMessage } from "./prepared.ts";
import type { StateContext } from "./rules.ts";
import { compareCopies } from "./target.ts";
import { missingFacts, type World } from "./world.ts";

/**
 * A copy of a forgotten message. It stays forgotten; under canonical order what is shown of it is the envelope
 * of the copy that ranks first, whether that came before the FORGET or after.
 */
export function showForgottenCopy(
  world: World,
  context: StateContext,
  message: PreparedMessage,
  item: ItemFact,
  forgotten: ForgottenMessage,
): Outcome {
  if (!context.rules.canonicalOrder) return { kind: "forgotten" };
  const permission = checkPermission(world, context.rules, message);
  if (permission?.kind === "need") return permission;
  const hash = message.envelope.itemHash;
  const missing = missingFacts(world, [{ table: "candidates", key: hash }]);
  if (missing.length > 0) return need(missing);
  retainBesideOthers(world, context, message);
  if (permission !== null || compareCopies(message, asCopy(message, forgotten)) >= 0)
    return { kind: "forgotten" };
  const { chain, sender, channel, itemType, signature, timeMicros } = message.envelope;
  const shown = { ...forgotten, chain, sender, channel, itemType, signature, timeMicros };
  world.facts.items.set(hash, { ...item, forgotten: shown });
  return { kind: "forgotten" };
}

/** While the texts are kept behind the FORGET of a delegate, this one is kept with them. */
function retainBesideOthers(world: World, context: StateContext, message: PreparedMessage): void {
  const hash = message.envelope.itemHash;
  const retained = world.index.candidates.get(hash) ?? [];
  if (retained.length === 0 || retained.length >= context.rules.maxCopies) return;
  const { envelopeText, contentText } = message;
  if (retained.some((copy) => copy.envelopeText === envelopeText)) return;
  world.requeued.push({ hash, envelopeText, contentText, retained: true });
  world.index.candidates.set(hash, [...retained, { envelopeText, contentText }]);
}

/** What was kept of the served copy, in the form that ranks are compared in. */
function asCopy(message: PreparedMessage, forgotten: ForgottenMessage): PreparedMessage {
  const { chain, sender, channel, itemType, signature, timeMicros } = forgotten;
  return {
    ...message,
    envelope: { ...message.envelope, chain, sender, channel, itemType, signature, timeMicros },
    content: { ...message.content, owner: forgotten.owner, timeMicros: forgotten.contentTimeMicros },
    signatureId: signature === null ? "" : signatureIdentity(chain, signature),
  };
}
