import type { CID } from "multiformats/cid";
import type { BlockSource } from "./block-source.ts";
import { encodeCarHeader } from "./car-header.ts";
import { sectionHead } from "./car-writer.ts";
import { type Block, isInline, parseCid } from "./cids.ts";
import { listDirectory, resolvePath } from "./dag-directory.ts";
import { decodeDagNode } from "./dag-node.ts";
import { walkDag } from "./dag-walk.ts";

/**
 * How much of what stands at the end of a path: its first block, a file or what lists a directory, or everything under
 * it. Source: IPFS Trustless Gateway Specification, `dag-scope`.
 */
export type DagScope = "block" | "entity" | "all";

/** What stands at a path, with the blocks that prove it. */
export interface PathEnd {
  readonly cid: CID;
  readonly kind: "file" | "directory" | "other";
  /** Blocks from the root to the end, both included, in their order. */
  readonly way: readonly Block[];
}

/**
 * Follows a path such as `css/site.css` from a root.
 *
 * @throws BlobError DAG_PATH_NOT_FOUND, BLOCK_NOT_FOUND, DAG_NODE_INVALID, CID_INVALID, CID_UNSUPPORTED
 */
export async function followPath(
  root: string,
  path: string,
  blocks: BlockSource,
  signal?: AbortSignal,
): Promise<PathEnd> {
  const way = new Map<string, Block>();
  const watched: BlockSource = {
    async getBlock(cid, stop) {
      const bytes = await blocks.getBlock(cid, stop);
      way.set(cid.toString(), { cid, bytes });
      return bytes;
    },
  };
  const start = parseCid(root);
  const cid = path === "" ? start : await resolvePath(start, path, watched, signal);
  const block = { cid, bytes: await watched.getBlock(cid, signal) };
  const { kind } = decodeDagNode(block);
  return { cid, kind: kind === "symlink" ? "other" : kind, way: [...way.values()] };
}

/** A CARv1 whose root is the end of a path: the way to it, and as much of it as is wanted; each block once. */
export async function* exportPathCar(
  { cid, kind, way }: PathEnd,
  scope: DagScope,
  blocks: BlockSource,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield encodeCarHeader([cid]);
  const sent = new Set<string>();
  const section = function* (block: Block): Generator<Uint8Array, void, undefined> {
    if (isInline(block.cid) || sent.has(block.cid.toString())) return;
    sent.add(block.cid.toString());
    yield sectionHead(block);
    yield block.bytes;
  };
  for (const block of way) yield* section(block);
  if (scope === "block") return;
  const options = signal === undefined ? {} : { signal };
  if (scope === "all" || kind !== "directory") {
    for await (const block of walkDag(cid, blocks, options)) yield* section(block);
    return;
  }
  for await (const block of listingBlocks(cid, blocks, signal)) yield* section(block);
}

/** The blocks that list a directory: one, or those of its shards. */
async function* listingBlocks(
  root: CID,
  blocks: BlockSource,
  signal: AbortSignal | undefined,
): AsyncGenerator<Block, void, undefined> {
  const read: Block[] = [];
  const watched: BlockSource = {
    async getBlock(cid, stop) {
      const bytes = await blocks.getBlock(cid, stop);
      read.push({ cid, bytes });
      return bytes;
    },
  };
  for await (const _entry of listDirectory(root, watched, signal)) yield* read.splice(0);
  yield* read.splice(0);
}
