import { createHash } from "node:crypto";
import { formatTime, itemTypeOfHash, MESSAGE_TYPES, microsOfSeconds } from "@twentysix/protocol";
import type { FoundChainEvent } from "@twentysix/storage";

/** A message that a contract event is. */
export interface ContractMessage {
  /** The one who called the contract. */
  readonly sender: string;
  /** A message type, or `STORE_IPFS`. */
  readonly type: string;
  /** The content as it was written; for `STORE_IPFS` the CID of a file. */
  readonly content: string;
  /** What a stored file is dated by, where the event has a time of its own. */
  readonly timeSeconds?: number;
}

const STORE_IPFS = "STORE_IPFS";

/** Why no message can come out of an event; null when one can, whose content is judged like any other. */
export function contractMessageProblem({ type, content }: ContractMessage): string | null {
  if (type === STORE_IPFS) {
    return itemTypeOfHash(content) === "ipfs" ? null : "STORE_IPFS needs a CID and nothing else";
  }
  return MESSAGE_TYPES.some((known) => known === type) ? null : "no message has this type";
}

/**
 * The envelope of a message that a contract event is. Every node builds the same bytes. The transaction stands for
 * the signature. Source: pyaleph `src/aleph/chains/chain_data_service.py`.
 */
export function contractEnvelope(message: ContractMessage, chain: string, timeMicros: bigint): string {
  const { sender } = message;
  const isStore = message.type === STORE_IPFS;
  const time = formatTime(timeMicros);
  const { timeSeconds } = message;
  const storeTime = timeSeconds === undefined ? time : formatTime(microsOfSeconds(timeSeconds));
  const content = isStore
    ? `{"address": ${JSON.stringify(sender)}, "time": ${storeTime}, "item_type": "ipfs", "item_hash": ${JSON.stringify(message.content)}}`
    : message.content;
  const hash = createHash("sha256").update(content).digest("hex");
  const fields = {
    sender,
    chain,
    signature: null,
    type: isStore ? "STORE" : message.type,
    item_content: content,
    item_type: "inline",
    item_hash: hash,
  };
  return `${JSON.stringify(fields).slice(0, -1)},"time":${time},"channel":null}`;
}

/** A message that a contract event is, as it is queued. */
export function contractPayload(
  message: ContractMessage,
): Pick<FoundChainEvent, "kind" | "payload" | "error"> {
  const error = contractMessageProblem(message);
  return { kind: error === null ? "message" : null, payload: JSON.stringify(message), error };
}
