import { createHash } from "node:crypto";
import { type PeerKey, peerKeyOf } from "@twentysix/network";

/** What stands before the 32 bytes of an Ed25519 key in PKCS #8 DER. Source: RFC 8410, section 7. */
const ED25519_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex");

/** The key of the n-th machine, the same in every simulation. */
export function keyOfMachine(number: number): PeerKey {
  const secret = createHash("sha256").update(`key of machine ${number} in a simulation`).digest();
  return peerKeyOf(Buffer.concat([ED25519_PREFIX, secret]));
}

/** Its name among peers. */
export const nameOfMachine = (number: number): string => keyOfMachine(number).peerId;
