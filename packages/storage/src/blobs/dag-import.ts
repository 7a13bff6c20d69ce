import type { CID } from "multiformats/cid";
import type { BlobStore } from "./blob-store.ts";
import type { BlockEntry } from "./block-index.ts";
import { BlockPack } from "./block-pack.ts";
import { type Block, isInline } from "./cids.ts";
import { type DagFacts, DagGraph } from "./dag-graph.ts";
import type { DagLimits } from "./dag-limits.ts";
import { type DagStat, statRoot } from "./dag-stat.ts";
import { BlobError } from "./errors.ts";

export interface DagImportOptions {
  readonly limits?: Partial<DagLimits>;
  readonly signal?: AbortSignal;
}

/** A DAG that stands whole in a pack and that the index does not know yet. */
export interface PackedDag {
  readonly root: CID;
  readonly pack: string;
  readonly stat: DagStat;
  readonly facts: DagFacts;
  readonly entries: readonly BlockEntry[];
}

/**
 * Writes blocks that come in any order into one pack, each once, and proves that the root and all that it links to
 * are among them. Whatever fails, no pack is left.
 *
 * @param blocks blocks that have the hash of their CID; `verifiedBlocks` (verified-blocks.ts) makes them so
 * @param root the root, or a function that says it once all blocks have come
 * @throws BlobError DAG_INCOMPLETE, DAG_NODE_INVALID, DAG_TOO_MANY_BLOCKS,
 * DAG_TOO_MANY_LINKS, DAG_TOO_DEEP, DAG_TOO_LARGE; those of `BlobStore.put`
 */
export async function packDag(
  root: CID | (() => CID),
  blocks: AsyncIterable<Block> | Iterable<Block>,
  packs: BlobStore,
  claim: (sha256: string) => void,
  options: DagImportOptions = {},
): Promise<PackedDag> {
  const graph = new DagGraph(options.limits);
  const pack = new BlockPack();
  const stats = new RootStats(typeof root === "function" ? undefined : root);
  let result: Omit<PackedDag, "pack"> | undefined;
  async function* pieces(): AsyncGenerator<Uint8Array, void, undefined> {
    yield pack.head();
    for await (const block of blocks) {
      stats.see(block);
      if (!isInline(block.cid) && graph.add(block)) yield* pack.section(block);
    }
    const proven = typeof root === "function" ? root() : root;
    const facts = graph.factsOf(proven);
    result = { root: proven, stat: stats.of(proven), facts, entries: pack.entries };
  }
  const { signal } = options;
  const put = await packs.put(pieces(), {
    claim,
    ...(signal === undefined ? {} : { signal }),
  });
  if (result === undefined) throw new Error("the pack ended before its blocks did");
  return { ...result, pack: put.sha256 };
}

/** Keeps the figures of the root while blocks pass by; without a known root, those of the last block. */
class RootStats {
  readonly #root: CID | undefined;
  #block: Block | undefined;

  constructor(root: CID | undefined) {
    this.#root = root;
  }

  see(block: Block): void {
    if (this.#root === undefined || sameBlock(this.#root, block.cid)) this.#block = block;
  }

  of(root: CID): DagStat {
    if (this.#block !== undefined && sameBlock(root, this.#block.cid)) return statRoot(this.#block);
    throw new BlobError("DAG_INCOMPLETE", "the root of the DAG is not among its blocks", {
      block: root.toString(),
    });
  }
}

/** True for the two forms of one CID as well: version 0 and version 1 of the same node. */
function sameBlock(one: CID, other: CID): boolean {
  return one.code === other.code && Buffer.compare(one.multihash.bytes, other.multihash.bytes) === 0;
}
