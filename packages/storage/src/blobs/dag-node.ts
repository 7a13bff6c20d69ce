import * as dagPb from "@ipld/dag-pb";
import { UnixFS } from "ipfs-unixfs";
import type { CID } from "multiformats/cid";
import { type Block, RAW } from "./cids.ts";
import { BlobError } from "./errors.ts";

export type DagNodeKind = "file" | "directory" | "symlink" | "other";

export interface DagNodeLink {
  readonly cid: CID;
  readonly name: string;
  /** What the parent claims for the bytes of all blocks under the link. */
  readonly claimedBytes: number;
}

/** A block read as UnixFS. Nothing here is proven but the block's own bytes. */
export interface DagNode {
  readonly kind: DagNodeKind;
  /** For a sharded directory: how many characters of a link's name say its slot, not its entry. */
  readonly slotDigits?: number;
  /** Bytes of the file that stand in this block itself; of a symbolic link, its target. */
  readonly data: Uint8Array;
  readonly links: readonly DagNodeLink[];
  /** For a file: bytes of content that the node claims for each link. */
  readonly linkContentBytes: readonly number[];
  /** Seconds since the Unix epoch, when the node has a time. */
  readonly modifiedSeconds?: number;
}

const EMPTY = new Uint8Array();

/**
 * Reads a raw or dag-pb block. A dag-pb node whose data is not UnixFS is of kind "other": its links count, its
 * content cannot be read.
 * @throws BlobError DAG_NODE_INVALID for bytes that are no dag-pb at all
 */
export function decodeDagNode({ cid, bytes }: Block): DagNode {
  if (cid.code === RAW) return { kind: "file", data: bytes, links: [], linkContentBytes: [] };
  const node = decodePb({ cid, bytes });
  const links = node.Links.map(({ Hash, Name, Tsize }) => ({
    cid: Hash,
    name: Name ?? "",
    claimedBytes: Tsize ?? 0,
  }));
  const data = node.Data === undefined ? undefined : decodeUnixFs(node.Data);
  if (data === undefined) return { kind: "other", data: EMPTY, links, linkContentBytes: [] };
  return {
    kind: kindOf(data.type),
    data: data.data ?? EMPTY,
    links,
    linkContentBytes: data.blockSizes.map(Number),
    ...(data.type === "hamt-sharded-directory" ? { slotDigits: slotDigits(data.fanout) } : {}),
    ...(data.mtime === undefined ? {} : { modifiedSeconds: Number(data.mtime.secs) }),
  };
}

/** Content bytes of a file node as it claims them itself: its own data and what it says of its links. */
export function claimedContentBytes(node: DagNode): number {
  return node.linkContentBytes.reduce((sum, bytes) => sum + bytes, node.data.byteLength);
}

function decodePb({ cid, bytes }: Block): dagPb.PBNode {
  try {
    return dagPb.decode(bytes);
  } catch (cause) {
    throw new BlobError("DAG_NODE_INVALID", "the block is no dag-pb node", { cid: cid.toString() }, cause);
  }
}

function decodeUnixFs(data: Uint8Array): UnixFS | undefined {
  try {
    return UnixFS.unmarshal(data);
  } catch {
    return undefined; // dag-pb data may be anything: only who wants to read it as UnixFS has a right to complain
  }
}

function kindOf(type: string): DagNodeKind {
  if (type === "file" || type === "raw") return "file";
  if (type === "directory" || type === "hamt-sharded-directory") return "directory";
  return type === "symlink" ? "symlink" : "other";
}

/** Hexadecimal digits of the highest slot of a shard; 256 slots when the node does not say. */
function slotDigits(fanout = 256n): number {
  return (fanout - 1n).toString(16).length;
}
