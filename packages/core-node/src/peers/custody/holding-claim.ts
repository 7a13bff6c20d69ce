import { isSignedBy } from "@twentysix/network";
import { stringifyCanonicalJson } from "@twentysix/protocol";
import { isRefuted } from "@twentysix/storage";

/** What a peer says with its answer to a challenge: these blocks show that I hold the file, and it has this size. */
export interface HoldingClaim {
  /** The name that messages call the file by. */
  readonly name: string;
  /** The DAG that is proven: of the file, or of one of its shards. */
  readonly root: string;
  /** Hexadecimal. */
  readonly nonce: string;
  /** Bytes under the root; null for what is no file. */
  readonly sizeBytes: number | null;
  /** SHA-256 of each block of the answer. */
  readonly digests: readonly string[];
}

/** A claim with the signature of the peer that made it, in hexadecimal. */
export interface SignedClaim extends HoldingClaim {
  readonly key: string;
  readonly signature: string;
}

/** What shows to anyone that a peer made a false claim: it, and the right blocks before the first wrong one, in base64. */
export interface FalseClaim {
  readonly claim: SignedClaim;
  readonly way: readonly string[];
}

const PREFIX = "twentysix-holding-claim\n";

/** What is signed. */
export function claimBytes({ name, root, nonce, sizeBytes, digests }: HoldingClaim): Uint8Array {
  const text = stringifyCanonicalJson({ name, root, nonce, sizeBytes, digests: [...digests] });
  return new TextEncoder().encode(`${PREFIX}${text}`);
}

export async function isClaimOf(peerId: string, claim: SignedClaim): Promise<boolean> {
  const signature = {
    publicKey: Buffer.from(claim.key, "hex"),
    signature: Buffer.from(claim.signature, "hex"),
  };
  return await isSignedBy(peerId, claimBytes(claim), signature);
}

/**
 * Whether a peer is shown to have claimed what is not so. Needs neither the file nor trust in who tells it.
 *
 * @throws BlobError for a way that does not belong to the claim
 */
export async function isFalseClaimOf(peerId: string, { claim, way }: FalseClaim): Promise<boolean> {
  if (!(await isClaimOf(peerId, claim))) return false;
  const { root, digests, sizeBytes } = claim;
  const given = { root, digests, sizeBytes, nonce: Buffer.from(claim.nonce, "hex") };
  return isRefuted(
    given,
    way.map((block) => Buffer.from(block, "base64")),
  );
}
