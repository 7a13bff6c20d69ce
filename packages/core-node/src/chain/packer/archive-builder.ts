import { formatTime, itemTypeOfHash, microsOfSeconds, sliceMembers } from "@twentysix/protocol";
import type { ChainRecordReads, UnconfirmedMessage } from "@twentysix/storage";

export interface ArchiveLimits {
  readonly maxBytes: number;
  readonly maxMessages: number;
}

/** An archive that is ready to be stored. */
export interface BuiltArchive {
  readonly pieces: readonly Uint8Array[];
  readonly itemIds: readonly number[];
}

/** Readers of the existing network take no archive from 100 MiB on. */
export const ARCHIVE_LIMITS: ArchiveLimits = { maxBytes: 32 * 1024 * 1024, maxMessages: 10_000 };

/** Few enough that the longest of them stay within tens of megabytes. */
const STEP_MESSAGES = 64;
const START = '{"protocol":"aleph","version":1,"content":{"messages":[';
const END = "]}}";
/** Members of an archived message, in their order, `item_type` and `time` apart. Source: pyaleph `chain_data_service.py`. */
const BEFORE_TYPE = ["sender", "chain", "signature", "type", "item_content"] as const;

/**
 * Collects what no chain confirms, in the order in which this node met it: the bytes of an archive as the existing
 * network writes them. null: there is nothing, or it is not wanted.
 */
export async function buildArchive(
  records: Pick<ChainRecordReads, "unconfirmed">,
  signal: AbortSignal,
  /** Asked once, before more is read, with the time at which the first message came in. */
  isWanted: (oldestMicros: bigint) => boolean,
  limits: ArchiveLimits = ARCHIVE_LIMITS,
): Promise<BuiltArchive | null> {
  const texts: Uint8Array[] = [];
  const itemIds: number[] = [];
  let sizeBytes = START.length + END.length;
  let afterId: number | null = 0;
  collecting: while (afterId !== null) {
    signal.throwIfAborted();
    const step: Awaited<ReturnType<typeof records.unconfirmed>> = await records.unconfirmed(
      afterId,
      STEP_MESSAGES,
    );
    afterId = step.afterId;
    for (const message of step.messages) {
      const text = archivedMessage(message);
      if (text === null) continue;
      if (itemIds.length === 0 && !isWanted(message.receptionMicros)) return null;
      const bytes = Buffer.from(itemIds.length === 0 ? text : `,${text}`);
      if (itemIds.length === limits.maxMessages || sizeBytes + bytes.length > limits.maxBytes)
        break collecting;
      texts.push(bytes);
      itemIds.push(message.id);
      sizeBytes += bytes.length;
    }
  }
  if (itemIds.length === 0) return null;
  return { pieces: [Buffer.from(START), ...texts, Buffer.from(END)], itemIds };
}

/** One message as an archive has it; null for one without signature, which a chain vouches for already. */
export function archivedMessage({
  envelopeText,
  itemHash,
}: Pick<UnconfirmedMessage, "envelopeText" | "itemHash">): string | null {
  const members = sliceMembers(envelopeText);
  const rawOf = (name: string): string | null => {
    const range = members.get(name);
    const raw = range === undefined ? "null" : envelopeText.slice(range.start, range.end);
    return raw === "null" ? null : raw;
  };
  if (rawOf("signature") === null) return null;
  const content = rawOf("item_content");
  const itemType = rawOf("item_type") ?? `"${content === null ? itemTypeOfHash(itemHash) : "inline"}"`;
  const time = formatTime(microsOfSeconds(Number(rawOf("time"))));
  const first = BEFORE_TYPE.map((name) => `"${name}":${rawOf(name) ?? "null"}`).join(",");
  return `{${first},"item_type":${itemType},"item_hash":"${itemHash}","time":${time},"channel":${rawOf("channel") ?? "null"}}`;
}
