import {
  ITEM_TYPES,
  isChain,
  isItemHash,
  type JsonObject,
  type JsonValue,
  MESSAGE_TYPES,
  stringifyJson,
} from "@twentysix/protocol";
import type { Skeleton } from "@twentysix/state";

/*
 * What is left of a forgotten message travels as one line: {"forgotten_message":"<item hash>","type":"POST",...}
 */

export const SKELETON_KEY = "forgotten_message";

const MAX_MICROS = 2n ** 63n - 1n;

export function writeSkeleton({ hash, message }: Skeleton): string {
  return stringifyJson({
    [SKELETON_KEY]: hash,
    type: message.type,
    chain: message.chain,
    sender: message.sender,
    signature: message.signature,
    owner: message.owner,
    channel: message.channel,
    label: message.label,
    item_type: message.itemType,
    payment_type: message.paymentType,
    time_us: message.timeMicros,
    content_time_us: message.contentTimeMicros,
    size: message.size,
    file_hash: message.contentHash,
    parent: message.parent,
    revises: message.revises,
  });
}

/** null when the object is no skeleton. Its signature is still to be verified. */
export function readSkeleton(line: JsonObject): Skeleton | null {
  const hash = line[SKELETON_KEY];
  const { chain, sender, signature, owner, channel, label, size, parent, revises } = line;
  const { payment_type: paymentType, file_hash: contentHash } = line;
  const type = MESSAGE_TYPES.find((one) => one === line.type);
  const itemType = ITEM_TYPES.find((one) => one === line.item_type);
  const timeMicros = readMicros(line.time_us);
  const contentTimeMicros = readMicros(line.content_time_us);
  if (!isHash(hash) || type === undefined || itemType === undefined) return null;
  if (timeMicros === null || contentTimeMicros === null || typeof revises !== "boolean") return null;
  if (typeof chain !== "string" || !isChain(chain) || typeof size !== "number") return null;
  if (!Number.isSafeInteger(size) || size < 0) return null;
  if (typeof sender !== "string" || typeof owner !== "string" || typeof paymentType !== "string") return null;
  if (!isTextOrNull(signature) || !isTextOrNull(channel) || !isTextOrNull(label)) return null;
  if ((parent !== null && !isHash(parent)) || (contentHash !== null && !isHash(contentHash))) return null;
  const who = { type, chain, sender, owner, channel, label, itemType, paymentType, signature };
  const what = { timeMicros, contentTimeMicros, size, contentHash, parent, revises };
  return { hash, message: { ...who, ...what, forgottenMicros: null } };
}

const isHash = (value: JsonValue | undefined): value is string =>
  typeof value === "string" && isItemHash(value, { anyCidV1: true });

const isTextOrNull = (value: JsonValue | undefined): value is string | null =>
  value === null || typeof value === "string";

function readMicros(value: JsonValue | undefined): bigint | null {
  if (typeof value !== "bigint" && !(typeof value === "number" && Number.isSafeInteger(value))) return null;
  const micros = BigInt(value);
  return micros >= -MAX_MICROS && micros <= MAX_MICROS ? micros : null;
}
