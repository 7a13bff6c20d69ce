import type { CID } from "multiformats/cid";
import { type ResolvedRange, resolveRange } from "./blob-range.ts";
import type { GetOptions } from "./blob-store.ts";
import type { BlockSource } from "./block-source.ts";
import { claimedContentBytes, type DagNode, decodeDagNode } from "./dag-node.ts";
import { BlobError } from "./errors.ts";

/** A part of the file that is still to be read. */
interface Span {
  readonly cid: CID;
  readonly startBytes: number;
  /** What the parent says this part holds; unknown for the root. */
  readonly claimedBytes: number | undefined;
}

/**
 * The bytes of a UnixFS file, whatever its layout, or a range of them; blocks outside the range are not read.
 *
 * One block is in memory at a time, and the next is read when the consumer asks: the reader of
 * ipfs-unixfs-exporter pushes the whole file into a queue, which a slow consumer turns into memory. Each node must
 * hold as many bytes as its parent claims, or else ranges would be wrong without a sign of it.
 *
 * @throws BlobError BLOCK_NOT_FOUND, BLOB_RANGE_INVALID, DAG_NOT_FILE, DAG_NODE_INVALID
 */
export async function* readDagFile(
  root: CID,
  blocks: BlockSource,
  { range, signal }: GetOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  let wanted: ResolvedRange | undefined;
  const waiting: Span[] = [{ cid: root, startBytes: 0, claimedBytes: undefined }];
  for (let span = waiting.pop(); span !== undefined; span = waiting.pop()) {
    signal?.throwIfAborted();
    const node = decodeDagNode({ cid: span.cid, bytes: await blocks.getBlock(span.cid, signal) });
    const sizeBytes = checkedSize(span, node);
    wanted ??= resolveRange(sizeBytes, range);
    const piece = cut(node.data, span.startBytes, wanted);
    if (piece.byteLength > 0) yield piece;
    for (const child of childSpans(span, node).toReversed()) if (overlaps(child, wanted)) waiting.push(child);
  }
}

function checkedSize(span: Span, node: DagNode): number {
  const details = { cid: span.cid.toString(), claimedBytes: span.claimedBytes };
  if (node.kind !== "file")
    throw new BlobError("DAG_NOT_FILE", `this is a ${node.kind}, not a file`, details);
  const sizeBytes = claimedContentBytes(node);
  const isCounted = node.linkContentBytes.length === node.links.length && Number.isSafeInteger(sizeBytes);
  if (isCounted && (span.claimedBytes === undefined || span.claimedBytes === sizeBytes)) return sizeBytes;
  throw new BlobError("DAG_NODE_INVALID", "a node of the file does not hold what its parent claims", {
    ...details,
    sizeBytes,
  });
}

function childSpans(span: Span, node: DagNode): Span[] {
  let startBytes = span.startBytes + node.data.byteLength;
  return node.links.map(({ cid }, index) => {
    const claimedBytes = node.linkContentBytes[index] ?? 0;
    const child = { cid, startBytes, claimedBytes };
    startBytes += claimedBytes;
    return child;
  });
}

function overlaps(span: Span, { startBytes, endBytes }: ResolvedRange): boolean {
  return span.startBytes < endBytes && span.startBytes + (span.claimedBytes ?? 0) > startBytes;
}

function cut(data: Uint8Array, atBytes: number, { startBytes, endBytes }: ResolvedRange): Uint8Array {
  return data.subarray(Math.max(0, startBytes - atBytes), Math.max(0, endBytes - atBytes));
}
