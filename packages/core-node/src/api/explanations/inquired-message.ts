import {
  completeContent,
  formatTime,
  isChain,
  isJsonObject,
  type JsonObject,
  MESSAGE_TYPES,
  memberOf,
  microsOfSeconds,
  parseJson,
} from "@twentysix/protocol";
import type { InquiredMessage } from "../../ledger/ledger-inquiry.ts";
import type { DownloadServices } from "../services.ts";
import { readHeldContent } from "./held-content.ts";

/**
 * A refused message as it can be judged again; null where its envelope is not whole, or this node does not hold its
 * content.
 *
 * @param messageJson the envelope as it was received
 */
export async function inquiredMessage(
  messageJson: string,
  itemHash: string,
  downloads: Pick<DownloadServices, "openFile">,
  signal: AbortSignal,
): Promise<InquiredMessage | null> {
  const parsed = parseJson(messageJson);
  if (!parsed.ok || !isJsonObject(parsed.value)) return null;
  const envelope = parsed.value;
  const type = MESSAGE_TYPES.find((known) => known === memberOf(envelope, "type"));
  const [sender, chain] = [textMember(envelope, "sender"), textMember(envelope, "chain")];
  const time = memberOf(envelope, "time");
  if (type === undefined || sender === null || chain === null || !isChain(chain)) return null;
  if (typeof time !== "number" && typeof time !== "bigint") return null;
  const timeMicros = microsOfSeconds(time);
  const inline = textMember(envelope, "item_content");
  const contentText = inline ?? (await heldText(itemHash, sender, timeMicros, downloads, signal));
  if (contentText === null) return null;
  return {
    type,
    sender,
    chain,
    contentText,
    timeMicros,
    fileSizeBytes: null,
    priceList: null,
    gates: "message",
  };
}

async function heldText(
  itemHash: string,
  sender: string,
  timeMicros: bigint,
  downloads: Pick<DownloadServices, "openFile">,
  signal: AbortSignal,
): Promise<string | null> {
  const held = await readHeldContent(itemHash, downloads, signal);
  if (held.kind !== "text") return null;
  const completed = completeContent(held.text, { sender, timeText: formatTime(timeMicros) });
  return completed.ok ? completed.text : null;
}

function textMember(object: JsonObject, key: string): string | null {
  const value = memberOf(object, key);
  return typeof value === "string" ? value : null;
}
