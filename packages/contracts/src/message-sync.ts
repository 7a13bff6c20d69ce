import {
  type Address,
  BaseError,
  decodeEventLog,
  encodeDeployData,
  encodeFunctionData,
  type Hex,
  isHex,
  toEventSelector,
} from "viem";
import { MESSAGE_SYNC_ABI, MESSAGE_SYNC_BYTECODE } from "./message-sync-artefact.ts";

/** `topics[0]` of both events. Source: pyaleph `src/aleph/chains/assets/ethereum_sc_abi.json`. */
export const SYNC_EVENT_TOPIC = toEventSelector("SyncEvent(uint256,address,string)");
export const MESSAGE_EVENT_TOPIC = toEventSelector("MessageEvent(uint256,address,string,string)");

/** What the contract tells; `timeSeconds` is that of the block, `emitter` called the contract (checksummed). */
export type MessageSyncEvent =
  | {
      readonly kind: "sync";
      readonly timeSeconds: bigint;
      readonly emitter: Address;
      readonly message: string;
    }
  | {
      readonly kind: "message";
      readonly timeSeconds: bigint;
      readonly emitter: Address;
      readonly type: string;
      readonly content: string;
    };

/** Reads one log of the contract; null when it is none of its two events. */
export function readMessageSyncLog(log: {
  readonly topics: readonly string[];
  readonly data: string;
}): MessageSyncEvent | null {
  const [topic] = log.topics;
  if (topic !== SYNC_EVENT_TOPIC && topic !== MESSAGE_EVENT_TOPIC) return null;
  const decoded = decode(topic, log.data);
  if (decoded?.args === undefined) return null;
  const { timestamp: timeSeconds, addr: emitter } = decoded.args;
  return "message" in decoded.args
    ? { kind: "sync", timeSeconds, emitter, message: decoded.args.message }
    : {
        kind: "message",
        timeSeconds,
        emitter,
        type: decoded.args.msgtype,
        content: decoded.args.msgcontent,
      };
}

/** Whatever stands in a log is another's doing: what cannot be decoded is none of our events. */
function decode(topic: Hex, data: string) {
  if (!isHex(data)) return null;
  try {
    return decodeEventLog({ abi: MESSAGE_SYNC_ABI, topics: [topic], data });
  } catch (error) {
    if (error instanceof BaseError) return null;
    throw error;
  }
}

/** Call data of `doEmit`: anchors an archive, or messages themselves. */
export function encodeEmit(message: string): Hex {
  return encodeFunctionData({ abi: MESSAGE_SYNC_ABI, functionName: "doEmit", args: [message] });
}

/** Call data of `doMessage`: sends one message whose sender is the caller. */
export function encodeMessage(type: string, content: string): Hex {
  return encodeFunctionData({ abi: MESSAGE_SYNC_ABI, functionName: "doMessage", args: [type, content] });
}

/** Data of the transaction that creates the contract. */
export function encodeDeployment(): Hex {
  return encodeDeployData({ abi: MESSAGE_SYNC_ABI, bytecode: MESSAGE_SYNC_BYTECODE });
}
