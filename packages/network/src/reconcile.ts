/** The door of set reconciliation: what compares ranges of keys, without the host that carries it. */
export { NetworkError } from "./errors.ts";
export { frameOf, framesOf } from "./frames.ts";
export type { PeerSignature, PeerSignatures } from "./peer-signature.ts";
export type { PeerStream, PeerStreams } from "./peer-streams.ts";
export { ByteReader } from "./reconcile/byte-reader.ts";
export { ByteWriter } from "./reconcile/byte-writer.ts";
export { type ComparisonOptions, compareRanges, rangesFor } from "./reconcile/compare-ranges.ts";
export { PeerFault } from "./reconcile/peer-fault.ts";
export {
  decodeDigests,
  decodeKeys,
  decodeLeaves,
  decodeNodes,
  decodePrefixes,
  decodeWanted,
  encodeDigests,
  encodeKeys,
  encodeLeaves,
  encodeNodes,
  encodePrefixes,
  encodeWanted,
} from "./reconcile/range-codec.ts";
export * from "./reconcile/range-types.ts";
export { SALT_BYTES, shortDigest } from "./reconcile/short-digest.ts";
