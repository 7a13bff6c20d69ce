import { hash as digest } from "node:crypto";
import type { Envelope } from "@twentysix/protocol";
import type { NewCandidate, Origin } from "@twentysix/storage";

/** What makes two copies of a message distinct: everything of the envelope but its layout. */
export function copyIdentity(envelope: Envelope): Uint8Array {
  const { itemHash, chain, sender, type, itemType, signature, channel, timeMicros } = envelope;
  const fields = [itemHash, chain, sender, type, itemType, signature, channel, timeMicros.toString()];
  return digest("sha256", JSON.stringify(fields), "buffer");
}

/** Digest of a copy that is not even well-formed. */
export function rawIdentity(raw: string): Uint8Array {
  return digest("sha256", raw, "buffer");
}

/** A copy as the queue keeps it. */
export function candidateOf(
  envelope: Envelope,
  envelopeText: string,
  contentText: string | null,
  reception: { readonly origin: Origin; readonly receptionMicros: bigint },
): NewCandidate {
  return {
    hash: envelope.itemHash,
    type: envelope.type,
    identity: copyIdentity(envelope),
    envelopeText,
    contentText,
    sender: envelope.sender,
    ...reception,
  };
}
