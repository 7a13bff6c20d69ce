import type { Envelope } from "../envelope.ts";

/**
 * The JSON text of an envelope as it goes to the gossip topic: sorted keys, no spaces, null fields left out
 * except the signature of a trusted message. `time` keeps the digits that were submitted.
 */
export function serialiseEnvelope(envelope: Envelope): string {
  const members: readonly (readonly [string, string | null])[] = [
    ["chain", envelope.chain],
    ["channel", envelope.channel],
    ["item_content", envelope.itemContent],
    ["item_hash", envelope.itemHash],
    ["item_type", envelope.itemType],
    ["sender", envelope.sender],
    ["signature", envelope.signature],
  ];
  let text = "{";
  for (const [key, value] of members) {
    if (value !== null || key === "signature") text += `"${key}":${JSON.stringify(value)},`;
  }
  return `${text}"time":${envelope.timeText},"type":"${envelope.type}"}`;
}
