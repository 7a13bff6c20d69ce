import { publicKeyFromProtobuf, publicKeyToProtobuf } from "@libp2p/crypto/keys";
import { peerIdFromPublicKey } from "@libp2p/peer-id";
import type { PeerKey } from "./peer-key.ts";

/** What a peer signed, with the key whose hash, or self, is its name. */
export interface PeerSignature {
  /** Public key, in the protobuf form of libp2p. */
  readonly key: Uint8Array;
  readonly signature: Uint8Array;
}

export async function signAsPeer({ privateKey }: PeerKey, bytes: Uint8Array): Promise<PeerSignature> {
  return { key: publicKeyToProtobuf(privateKey.publicKey), signature: await privateKey.sign(bytes) };
}

/** Whether the peer of this name signed the bytes. What is no key at all is nobody's. */
export async function isSignedByPeer(
  peerId: string,
  bytes: Uint8Array,
  { key, signature }: PeerSignature,
): Promise<boolean> {
  const publicKey = keyOf(key);
  if (publicKey === null || peerIdFromPublicKey(publicKey).toString() !== peerId) return false;
  return await publicKey.verify(bytes, signature);
}

function keyOf(bytes: Uint8Array) {
  try {
    const key = publicKeyFromProtobuf(bytes);
    return key.type === "RSA" || key.type === "Ed25519" ? key : null;
  } catch {
    // Any failure to read it is the same answer: it names nobody.
    return null;
  }
}
