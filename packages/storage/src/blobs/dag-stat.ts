import type { CID } from "multiformats/cid";
import type { BlockSource } from "./block-source.ts";
import type { Block } from "./cids.ts";
import { claimedContentBytes, decodeDagNode } from "./dag-node.ts";
import { BlobError } from "./errors.ts";

/** As `ipfs files stat` of Kubo answers. A root that lies about its links lies here too: see `auditDag`. */
export interface DagStat {
  readonly type: "file" | "dir";
  /** Bytes of the file; 0 for a directory. */
  readonly sizeBytes: number;
  /** The root block and what its links claim. */
  readonly cumulativeSizeBytes: number;
}

/**
 * Type and sizes of a DAG, from its root block alone.
 * @throws BlobError BLOCK_NOT_FOUND, DAG_NODE_INVALID when the root is not UnixFS, DAG_TOO_LARGE
 */
export async function statDag(root: CID, blocks: BlockSource, signal?: AbortSignal): Promise<DagStat> {
  return statRoot({ cid: root, bytes: await blocks.getBlock(root, signal) });
}

/** The same from the root block itself. */
export function statRoot(root: Block): DagStat {
  const node = decodeDagNode(root);
  const cid = root.cid.toString();
  if (node.kind === "other") {
    throw new BlobError("DAG_NODE_INVALID", "the root is neither a UnixFS file nor a directory", { cid });
  }
  const isDirectory = node.kind === "directory";
  const stat: DagStat = {
    type: isDirectory ? "dir" : "file",
    sizeBytes: isDirectory ? 0 : claimedContentBytes(node),
    cumulativeSizeBytes: node.links.reduce((sum, link) => sum + link.claimedBytes, root.bytes.byteLength),
  };
  if (Number.isSafeInteger(stat.sizeBytes) && Number.isSafeInteger(stat.cumulativeSizeBytes)) return stat;
  throw new BlobError("DAG_TOO_LARGE", "the root claims more bytes than can be counted exactly", { cid });
}
