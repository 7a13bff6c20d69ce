import {
  type Account,
  encodeUtf8,
  type ItemType,
  type JsonObject,
  type JsonValue,
  type MessageType,
  type StoredItemType,
  sha256OfText,
} from "@twentysix/protocol";
import { invalidInput } from "../errors.ts";
import { contentText } from "./content-text.ts";
import type { SignedMessage } from "./signed-message.ts";

/** Longer contents are uploaded as files, as the network's clients agree to. In bytes of UTF-8, exclusive. */
export const INLINE_LIMIT_BYTES = 50_000;

/** Content without `address` and `time`, which are added. A member that is undefined is left out. */
export type ContentInput = { readonly [key: string]: JsonValue | undefined };

export interface BuildMessageParameters {
  readonly account: Account;
  readonly type: MessageType;
  readonly content: ContentInput;
  /** Microseconds since the epoch, of the content and of the envelope; never the same for two messages. */
  readonly timeMicros: bigint;
  /** On whose behalf, if the account was given that right; the account itself by default. */
  readonly owner?: string | undefined;
  readonly channel?: string | null | undefined;
  /**
   * Stores a content of 50 000 bytes or more and returns its verified hash with the engine. Without it such a
   * content is an error.
   */
  readonly uploadContent?: (
    bytes: Uint8Array,
  ) => Promise<{ readonly engine: StoredItemType; readonly itemHash: string }>;
}

/**
 * Writes the content, hashes it and signs the message; sends nothing but a content that is too long.
 *
 * Errors: SDK_INVALID_INPUT, and those of `uploadContent`.
 *
 * @example
 * const message = await buildMessage({
 *   account: createEvmAccount({ privateKey }),
 *   type: "POST",
 *   content: { type: "note", content: { body: "hi" } },
 *   timeMicros: 1730410918_090000n,
 * });
 */
export async function buildMessage(parameters: BuildMessageParameters): Promise<SignedMessage> {
  const { account, type, timeMicros, channel = null } = parameters;
  checkTime(account, timeMicros);
  const time = Number(timeMicros) / 1e6;
  const text = contentText(completeContent(parameters, time));
  const item = await placeContent(text, parameters.uploadContent);
  const signature = await account.sign({ type, itemHash: item.item_hash, timeMicros });
  return { type, chain: account.chain, sender: account.address, signature, ...item, time, channel };
}

function checkTime(account: Account, timeMicros: bigint): void {
  if (timeMicros >= 0n && timeMicros % account.timeStepMicros === 0n) return;
  throw invalidInput(
    "timeMicros",
    `${timeMicros} µs is not a multiple of ${account.timeStepMicros}, as signatures on ${account.chain} need; round it down`,
  );
}

function completeContent({ content, owner, account }: BuildMessageParameters, time: number): JsonObject {
  const members: [string, JsonValue][] = [
    ["address", owner ?? account.address],
    ["time", time],
  ];
  for (const [key, value] of Object.entries(content)) {
    if (key === "address" || key === "time") {
      throw invalidInput("content", `"${key}" of the content is set from the account; leave it out`);
    }
    if (value !== undefined) members.push([key, value]);
  }
  return Object.fromEntries(members);
}

async function placeContent(
  text: string,
  uploadContent: BuildMessageParameters["uploadContent"],
): Promise<{ item_type: ItemType; item_hash: string; item_content?: string }> {
  const bytes = encodeUtf8(text);
  if (bytes.length < INLINE_LIMIT_BYTES) {
    return { item_type: "inline", item_hash: sha256OfText(text), item_content: text };
  }
  if (uploadContent === undefined) {
    const message = `the content has ${bytes.length} bytes, ${INLINE_LIMIT_BYTES} or more must be uploaded; pass uploadContent`;
    throw invalidInput("content", message);
  }
  const { engine, itemHash } = await uploadContent(bytes);
  return { item_type: engine, item_hash: itemHash };
}
