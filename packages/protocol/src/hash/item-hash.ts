import type { ItemType } from "../envelope.ts";
import { isCidV1 } from "./cid-v1.ts";

/** Where a content that is not in the envelope can be. */
export type StoredItemType = Exclude<ItemType, "inline">;

export interface ItemHashSwitches {
  /** Accept every CIDv1 in base32, whatever its codec and hash function, not only `bafy…` of 59 characters. */
  readonly anyCidV1?: boolean;
}

const SHA256_HEX = /^[0-9a-f]{64}$/;
const CID_V0 = /^Qm[1-9A-HJ-NP-Za-km-z]{42,44}$/;
const CID_V1 = /^bafy[a-z2-7]{55}$/;

/**
 * The engine that an item hash belongs to, by its exact shape; null when `text` is not an item hash.
 *
 * Source: aleph-message `aleph_message/models/item_hash.py`, pyaleph `src/aleph/utils.py`.
 */
export function itemTypeOfHash(text: string, switches: ItemHashSwitches = {}): StoredItemType | null {
  if (text.length === 64 && SHA256_HEX.test(text)) return "storage";
  if (CID_V0.test(text) || CID_V1.test(text)) return "ipfs";
  if (switches.anyCidV1 === true && isCidV1(text)) return "ipfs";
  return null;
}

export function isItemHash(text: string, switches: ItemHashSwitches = {}): boolean {
  return itemTypeOfHash(text, switches) !== null;
}

/**
 * The looser test that reference nodes apply to envelopes: lengths and prefixes, no alphabet.
 *
 * Only to tell what such a node would queue; a message that passes this test alone can never be fetched.
 */
export function looseItemTypeOfHash(text: string): StoredItemType | null {
  const characters = [...text].length;
  if (text.startsWith("Qm") && characters >= 44 && characters <= 46) return "ipfs";
  if (text.startsWith("bafy") && characters === 59) return "ipfs";
  return characters === 64 ? "storage" : null;
}
