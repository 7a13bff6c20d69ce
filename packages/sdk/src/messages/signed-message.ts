import type { Chain, ItemType, MessageType } from "@twentysix/protocol";

/** A message ready to be submitted, with the keys of the wire. */
export interface SignedMessage {
  readonly type: MessageType;
  readonly chain: Chain;
  readonly sender: string;
  readonly signature: string;
  readonly item_type: ItemType;
  /** Only with `item_type` `inline`. */
  readonly item_content?: string;
  readonly item_hash: string;
  /** Unix seconds. */
  readonly time: number;
  readonly channel: string | null;
}
