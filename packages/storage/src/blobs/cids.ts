import { hash } from "node:crypto";
import * as dagPb from "@ipld/dag-pb";
import { CID } from "multiformats/cid";
import * as raw from "multiformats/codecs/raw";
import * as Digest from "multiformats/hashes/digest";
import { BlobError } from "./errors.ts";

export const DAG_PB = dagPb.code;
export const RAW = raw.code;
const SHA2_256 = 0x12;
const SHA2_256_BYTES = 32;
const IDENTITY = 0x00;

/** One block: bytes and the name that they prove. */
export interface Block {
  readonly cid: CID;
  readonly bytes: Uint8Array;
}

/** SHA-256 of bytes at hand, 32 bytes. */
export function sha256Of(bytes: Uint8Array): Uint8Array {
  return hash("sha256", bytes, "buffer");
}

/** CIDv1 of a codec and a SHA-256 digest, or CIDv0, which exists for dag-pb alone. */
export function cidOf(version: 0 | 1, codec: number, sha256: Uint8Array): CID {
  return CID.create(version, codec, Digest.create(SHA2_256, sha256));
}

/**
 * A CID from its text, `Qm…` or multibase. Compare CIDs by `toString()`: base58 for version 0, base32 for 1.
 * @throws BlobError CID_INVALID, CID_UNSUPPORTED
 */
export function parseCid(text: string): CID {
  let cid: CID;
  try {
    cid = CID.parse(text);
  } catch (cause) {
    throw new BlobError("CID_INVALID", "this is not the text of a CID", { text: text.slice(0, 150) }, cause);
  }
  assertSupported(cid);
  return cid;
}

/**
 * Blocks are dag-pb or raw under SHA-256, which is all that UnixFS needs; a raw block may also stand in its
 * own CID (identity hash).
 * @throws BlobError CID_UNSUPPORTED
 */
export function assertSupported(cid: CID): void {
  const { code, size } = cid.multihash;
  const isSha256 = code === SHA2_256 && size === SHA2_256_BYTES && (cid.code === DAG_PB || cid.code === RAW);
  if (isSha256 || isInline(cid)) return;
  throw new BlobError("CID_UNSUPPORTED", "only dag-pb and raw blocks under SHA-256 are held", {
    cid: cid.toString(),
    codec: cid.code,
    hashCode: code,
    digestBytes: size,
  });
}

/** True when the CID holds the block itself. */
export function isInline(cid: CID): boolean {
  return cid.multihash.code === IDENTITY && cid.code === RAW;
}

/** @throws BlobError CID_UNSUPPORTED, BLOCK_HASH_MISMATCH */
export function assertBlockHash({ cid, bytes }: Block): void {
  assertSupported(cid);
  const digest = isInline(cid) ? bytes : sha256Of(bytes);
  if (Buffer.compare(digest, cid.multihash.digest) === 0) return;
  throw new BlobError(
    "BLOCK_HASH_MISMATCH",
    "the block has not the hash of its name: its sender is at fault",
    {
      cid: cid.toString(),
      sizeBytes: bytes.byteLength,
    },
  );
}
