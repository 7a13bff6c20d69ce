import type { CID } from "multiformats/cid";
import type { BlockSource } from "./block-source.ts";
import { type Block, isInline } from "./cids.ts";
import { type DagFacts, DagGraph } from "./dag-graph.ts";
import type { DagLimits } from "./dag-limits.ts";
import { decodeDagNode } from "./dag-node.ts";

export interface WalkOptions {
  readonly limits?: Partial<DagLimits>;
  readonly signal?: AbortSignal;
}

/**
 * Every block under `root` once, parents before children, in the order of their links. A block that stands in its
 * own CID is not handed out.
 * @throws BlobError BLOCK_NOT_FOUND, DAG_NODE_INVALID, DAG_TOO_MANY_BLOCKS, DAG_TOO_MANY_LINKS
 */
export async function* walkDag(
  root: CID,
  blocks: BlockSource,
  options: WalkOptions = {},
): AsyncGenerator<Block, void, undefined> {
  yield* walkInto(new DagGraph(options.limits), root, blocks, options.signal);
}

/**
 * Reads every block under `root` and adds up what is there.
 * @throws BlobError as walkDag, and DAG_TOO_DEEP, DAG_TOO_LARGE
 */
export async function auditDag(root: CID, blocks: BlockSource, options: WalkOptions = {}): Promise<DagFacts> {
  const graph = new DagGraph(options.limits);
  const walk = walkInto(graph, root, blocks, options.signal);
  while ((await walk.next()).done !== true);
  return graph.factsOf(root);
}

async function* walkInto(
  graph: DagGraph,
  root: CID,
  blocks: BlockSource,
  signal: AbortSignal | undefined,
): AsyncGenerator<Block, void, undefined> {
  const waiting: CID[] = [root];
  for (let cid = waiting.pop(); cid !== undefined; cid = waiting.pop()) {
    signal?.throwIfAborted();
    if (isInline(cid) || graph.has(cid)) continue;
    const block = { cid, bytes: await blocks.getBlock(cid, signal) };
    graph.add(block);
    yield block;
    for (const link of decodeDagNode(block).links.toReversed()) {
      if (!graph.has(link.cid)) waiting.push(link.cid);
    }
  }
}
