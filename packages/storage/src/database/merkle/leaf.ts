import { hash as digest } from "node:crypto";
import type { ItemFact } from "@twentysix/state";

/** SHA-256 of a text or bytes. */
export function sha256(data: string | Uint8Array): Buffer {
  return digest("sha256", data, "buffer");
}

/**
 * The digest of an accepted or forgotten message in the state tree: what it is and whose, or which FORGETs hid
 * it. Nothing of the envelope that the signature does not cover, nothing that depends on balances or on when
 * this node heard of it.
 *
 * @returns null for an item that is no part of the state (pending, rejected)
 */
export function itemLeaf(hash: string, item: ItemFact, forgets: readonly string[]): Buffer | null {
  // A message that was removed for lack of funds stays part of the state.
  const message = item.live ?? item.removed?.message ?? null;
  if (message !== null) {
    const { type, chain, sender, owner, contentTimeMicros } = message;
    return sha256(JSON.stringify(["live", hash, type, chain, sender, owner, contentTimeMicros.toString()]));
  }
  return item.forgotten === null ? null : forgottenLeaf(hash, item.forgotten.parent, forgets);
}

/** The digest of a forgotten message: with which other one it went, and which FORGETs hid it. */
export function forgottenLeaf(hash: string, parent: string | null, forgets: readonly string[]): Buffer {
  return sha256(JSON.stringify(["forgotten", hash, parent, [...forgets].sort()]));
}
