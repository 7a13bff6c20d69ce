import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { publicKeyFromProtobuf, publicKeyToProtobuf } from "@libp2p/crypto/keys";
import type { PrivateKey } from "@libp2p/interface";
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
  const signer = signerOf(privateKey);
  return { peerId, sign: async (bytes) => ({ publicKey, signature: await signer(bytes) }), isSignedBy };
}

/** Whether these bytes are signed by the key that a name belongs to. Anything may be asked. */
export async function isSignedBy(
  peerId: string,
  bytes: Uint8Array,
  { publicKey, signature }: PeerSignature,
): Promise<boolean> {
  try {
    const isSigned = verifierOf(peerId, publicKey);
    return isSigned !== null && (await isSigned(bytes, signature));
  } catch {
    // Bytes that are no key, or no signature of its kind.
    return false;
  }
}

type Signer = (bytes: Uint8Array) => Uint8Array | Promise<Uint8Array>;
type Verifier = (bytes: Uint8Array, signature: Uint8Array) => boolean | Promise<boolean>;

/** Peers that one has to do with at a time; a key is read anew for others. */
const MAX_KNOWN = 1_024;
/** By the name of a peer and its key. */
const known = new Map<string, Verifier>();

/** Reading a key takes longer than verifying with it. null: the name belongs to another key. */
function verifierOf(peerId: string, publicKey: Uint8Array): Verifier | null {
  const name = `${peerId} ${Buffer.from(publicKey).toString("base64")}`;
  const verifier = known.get(name);
  if (verifier !== undefined) return verifier;
  const key = publicKeyFromProtobuf(publicKey);
  if (peerIdFromPublicKey(key).toString() !== peerId) return null;
  const made: Verifier =
    key.type === "Ed25519" ? ed25519Verifier(key.raw) : (bytes, signature) => key.verify(bytes, signature);
  if (known.size >= MAX_KNOWN) known.clear();
  known.set(name, made);
  return made;
}

/** libp2p makes a key of Node anew for every signature, which takes as long as the signature. */
function signerOf(key: PrivateKey): Signer {
  if (key.type !== "Ed25519") return (bytes) => key.sign(bytes);
  const own: KeyObject = createPrivateKey({
    format: "jwk",
    key: { ...jwkOf(key.publicKey.raw), d: base64url(key.raw.subarray(0, ED25519_KEY_BYTES)) },
  });
  return (bytes) => sign(null, bytes, own);
}

function ed25519Verifier(raw: Uint8Array): Verifier {
  const key = createPublicKey({ format: "jwk", key: jwkOf(raw) });
  return (bytes, signature) => verify(null, bytes, key, signature);
}

const ED25519_KEY_BYTES = 32;
const base64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64url");
const jwkOf = (raw: Uint8Array) => ({ kty: "OKP", crv: "Ed25519", x: base64url(raw) });
