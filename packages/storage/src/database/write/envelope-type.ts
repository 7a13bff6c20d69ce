import { MESSAGE_TYPES, type MessageType, sliceMember } from "@twentysix/protocol";

/** The type of the message that a stored envelope is of. */
export function typeOfEnvelope(envelopeText: string): MessageType {
  const text = sliceMember(envelopeText, "type") ?? "null";
  const type: unknown = JSON.parse(text);
  const known = MESSAGE_TYPES.find((one) => one === type);
  if (known === undefined) throw new Error(`A stored envelope is of type ${text}, which is not known`);
  return known;
}
