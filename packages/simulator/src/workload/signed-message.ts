import { createHash } from "node:crypto";
import type { LocalAccount, MessageType } from "@twentysix/protocol";

export interface SignedMessage {
  readonly hash: string;
  readonly text: string;
  /** The content, where it travels beside the envelope; null: within it. */
  readonly contentApart: string | null;
}

export interface MessageDraft {
  readonly account: LocalAccount;
  readonly type: MessageType;
  readonly timeSeconds: number;
  /** Members of the content beside address and time. */
  readonly content: Readonly<Record<string, unknown>>;
  readonly channel?: string;
  /** The content is a file of its own, which the envelope names. */
  readonly isApart?: boolean;
  /** Whose item it is; the signer's own by default. */
  readonly owner?: string;
}

/** A message as a client makes it. */
export function signMessage(draft: MessageDraft): SignedMessage {
  const { account, type, timeSeconds: time, channel = "SIMULATION", isApart = false } = draft;
  const content = JSON.stringify({ address: draft.owner ?? account.address, time, ...draft.content });
  const hash = createHash("sha256").update(content).digest("hex");
  const timeMicros = BigInt(Math.round(time * 1e6));
  const envelope = {
    chain: account.chain,
    sender: account.address,
    type,
    channel,
    time,
    item_type: isApart ? "storage" : "inline",
    ...(isApart ? {} : { item_content: content }),
    item_hash: hash,
    signature: account.sign({ type, itemHash: hash, timeMicros }),
  };
  return { hash, text: JSON.stringify(envelope), contentApart: isApart ? content : null };
}
