import { publicKeyFromProtobuf, publicKeyToProtobuf } from "@libp2p/crypto/keys";
import { peerIdFromPublicKey } from "@libp2p/peer-id";
import type { PeerKey } from "./peer-key.ts";

/** A signature by the key of a peer. The name of the peer follows from the key. */
export interface PeerSignature {
  /** As libp2p writes keys: a protobuf of its kind and its bytes. */
  readonly publicKey: Uint8Array;
  readonly signature: Uint8Array;
}

/** Signs as one peer, and tells whether another one signed. What is signed must say by itself what it is for. */
export interface PeerSignatures {
  readonly peerId: string;
  sign(bytes: Uint8Array): Promise<PeerSignature>;
  /** See the function of that name. */
  isSignedBy(peerId: string, bytes: Uint8Array, signature: PeerSignature): Promise<boolean>;
}

export function signaturesOf({ privateKey, peerId }: PeerKey): PeerSignatures {
  const publicKey = publicKeyToProtobuf(privateKey.publicKey);
  return {
    peerId,
    sign: async (bytes) => ({ publicKey, signature: await privateKey.sign(bytes) }),
    isSignedBy,
  };
}

/** Whether these bytes are signed by the key that a name belongs to. Anything may be asked. */
export async function isSignedBy(
  peerId: string,
  bytes: Uint8Array,
  { publicKey, signature }: PeerSignature,
): Promise<boolean> {
  try {
    const key = publicKeyFromProtobuf(publicKey);
    return peerIdFromPublicKey(key).toString() === peerId && (await key.verify(bytes, signature));
  } catch {
    // Bytes that are no key, or no signature of its kind.
    return false;
  }
}
