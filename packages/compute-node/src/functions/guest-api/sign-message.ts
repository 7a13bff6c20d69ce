import {
  isJsonObject,
  type JsonObject,
  type LocalAccount,
  MESSAGE_TYPES,
  type MessageType,
  memberOf,
  microsOfSeconds,
  parseJson,
  sha256OfText,
} from "@twentysix/protocol";
import { GuestApiError } from "./errors.ts";

/**
 * Signs a message of a program with the key of this node. A program only speaks for itself: the content must be of its
 * own address.
 *
 * @param message `type`, `item_content`, `item_hash`, `time`; its sender and chain can only be this node's
 * @throws GuestApiError 400
 */
export function signProgramMessage(message: JsonObject, vmHash: string, account: LocalAccount): JsonObject {
  expectOwnContent(message, vmHash);
  const itemContent = memberOf(message, "item_content");
  const itemHash = memberOf(message, "item_hash");
  if (typeof itemContent !== "string" || itemHash !== sha256OfText(itemContent)) {
    throw new GuestApiError(400, "item_hash is not the SHA-256 of item_content");
  }
  const sender = memberOf(message, "sender") ?? account.address;
  const chain = memberOf(message, "chain") ?? account.chain;
  if (sender !== account.address || chain !== account.chain) {
    throw new GuestApiError(
      400,
      `This node signs as ${account.address} on ${account.chain} only: see /properties`,
    );
  }
  const type = readType(memberOf(message, "type"));
  const time = memberOf(message, "time");
  if (typeof time !== "number" || !(time > 0)) throw new GuestApiError(400, "time is no number of seconds");
  const signature = account.sign({ type, itemHash, timeMicros: microsOfSeconds(time) });
  return { ...message, sender, chain, signature };
}

/** @throws GuestApiError 400 */
export function expectOwnContent(message: JsonObject, vmHash: string): void {
  const text = memberOf(message, "item_content");
  const parsed = typeof text === "string" ? parseJson(text) : null;
  if (parsed === null || !parsed.ok || !isJsonObject(parsed.value)) {
    throw new GuestApiError(400, "item_content is no JSON object");
  }
  if (memberOf(parsed.value, "address") !== vmHash) {
    throw new GuestApiError(400, "Message address does not match VM item_hash");
  }
}

function readType(value: unknown): MessageType {
  const type = MESSAGE_TYPES.find((known) => known === value);
  if (type === undefined) throw new GuestApiError(400, `type is none of ${MESSAGE_TYPES.join(", ")}`);
  return type;
}
