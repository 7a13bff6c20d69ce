import { type Envelope, type MessageError, signatureIdentity } from "@twentysix/protocol";
import { signedOtherwise } from "./copies.ts";
import type { ForgottenMessage, ItemFact } from "./facts.ts";
import { need, type Outcome, reject } from "./outcome.ts";
import type { PreparedMessage } from "./prepared.ts";
import { compareCopies } from "./rank-copies.ts";
import type { StateContext } from "./rules.ts";
import { missingFacts, type World } from "./world.ts";

/**
 * A copy of a forgotten message. It stays forgotten; under canonical order what is shown of it is the envelope
 * of the correctly signed copy that ranks first, whether that came before the FORGET or after, and whether or not
 * it would have been accepted. Without it the copy that was accepted stays, as with a live message.
 */
export function showForgottenCopy(
  world: World,
  context: StateContext,
  message: PreparedMessage,
  item: ItemFact,
  forgotten: ForgottenMessage,
): Outcome {
  if (!context.rules.canonicalOrder) {
    const error = refusalOfForgotten(message.envelope, forgotten);
    return error === null ? { kind: "forgotten", retained: false } : reject(error);
  }
  const hash = message.envelope.itemHash;
  const missing = missingFacts(world, [{ table: "candidates", key: hash }]);
  if (missing.length > 0) return need(missing);
  const retained = retainBesideOthers(world, message);
  if (compareCopies(message, asCopy(message, forgotten)) < 0) {
    const { chain, sender, channel, itemType, signature, timeMicros } = message.envelope;
    const shown = { ...forgotten, chain, sender, channel, itemType, signature, timeMicros };
    world.facts.items.set(hash, { ...item, forgotten: shown });
  }
  return { kind: "forgotten", retained };
}

/**
 * Without canonical order: why a correctly signed copy of a forgotten message is refused, null when it is just one
 * more. Source: pyaleph `src/aleph/handlers/message_handler.py`.
 */
export function refusalOfForgotten(
  { chain, sender, signature }: Pick<Envelope, "chain" | "sender" | "signature">,
  forgotten: ForgottenMessage,
): MessageError | null {
  const isSame =
    chain === forgotten.chain &&
    sender === forgotten.sender &&
    signatureId(chain, signature) === signatureId(chain, forgotten.signature);
  return isSame ? null : signedOtherwise();
}

const signatureId = (chain: Envelope["chain"], signature: string | null): string =>
  signature === null ? "" : signatureIdentity(chain, signature);

/** Texts kept, hidden, of one message. */
const MAX_RETAINED = 16;

/** While the texts are kept behind the FORGET of a delegate, this one is kept with them. */
function retainBesideOthers(world: World, message: PreparedMessage): boolean {
  const hash = message.envelope.itemHash;
  if (!world.isRetained(hash)) return false;
  const known = world.index.candidates.get(hash) ?? [];
  const isKnown = known.some((copy) => copy.envelopeText === message.envelopeText);
  if (!isKnown && known.length >= MAX_RETAINED) return false;
  world.queueCopies(hash, [message], true);
  return true;
}

/** What was kept of the copy that is shown, in the form that ranks are compared in. */
function asCopy(message: PreparedMessage, forgotten: ForgottenMessage): PreparedMessage {
  const { chain, sender, channel, itemType, signature, timeMicros } = forgotten;
  return {
    ...message,
    envelope: { ...message.envelope, chain, sender, channel, itemType, signature, timeMicros },
    content: { ...message.content, owner: forgotten.owner, timeMicros: forgotten.contentTimeMicros },
    signatureId: signatureId(chain, signature),
  };
}
