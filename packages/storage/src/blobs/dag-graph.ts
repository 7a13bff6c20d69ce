import type { CID } from "multiformats/cid";
import { type Block, cidOf, isInline } from "./cids.ts";
import { type DagLimits, DEFAULT_DAG_LIMITS } from "./dag-limits.ts";
import { decodeDagNode } from "./dag-node.ts";
import { BlobError } from "./errors.ts";

/** What is true of a DAG, counted over its blocks whatever its nodes claim. */
export interface DagFacts {
  /** Distinct blocks that the root reaches. */
  readonly blockCount: number;
  /** Bytes of those blocks. */
  readonly storedBytes: number;
  /** Bytes with a block counted each time that it is linked. */
  readonly cumulativeBytes: number;
  /** Blocks that were added and that the root does not reach. */
  readonly strayBlockCount: number;
}

const NOT_SEEN = -1;

/**
 * The links between the blocks of a DAG, without their content: about a hundred bytes a block and eight a link.
 *
 * Blocks come in any order. Tells whether all that the root needs is there, and adds up sizes visiting each block
 * once, so that a small DAG that repeats itself to claim terabytes costs no more than its few blocks.
 */
export class DagGraph {
  readonly #limits: DagLimits;
  readonly #ordinals = new Map<string, number>();
  readonly #sizes: number[] = [];
  readonly #firstLink: number[] = [];
  readonly #linkCount: number[] = [];
  readonly #links: number[] = [];
  #blockCount = 0;

  constructor(limits: Partial<DagLimits> = {}) {
    this.#limits = { ...DEFAULT_DAG_LIMITS, ...limits };
  }

  /**
   * Adds a block whose hash was checked; false when it is known already.
   * @throws BlobError DAG_NODE_INVALID, DAG_TOO_MANY_BLOCKS, DAG_TOO_MANY_LINKS
   */
  add(block: Block): boolean {
    const ordinal = this.#ordinalOf(block.cid);
    if (this.#sizes[ordinal] !== NOT_SEEN) return false;
    const links = decodeDagNode(block).links.filter(({ cid }) => !isInline(cid));
    this.#assertLinks(links.length);
    this.#sizes[ordinal] = block.bytes.byteLength;
    this.#firstLink[ordinal] = this.#links.length;
    this.#linkCount[ordinal] = links.length;
    this.#blockCount += 1;
    for (const { cid } of links) this.#links.push(this.#ordinalOf(cid));
    return true;
  }

  has(cid: CID): boolean {
    const ordinal = this.#ordinals.get(keyOf(cid));
    return ordinal !== undefined && this.#sizes[ordinal] !== NOT_SEEN;
  }

  /**
   * The facts of the DAG under `root`.
   * @throws BlobError DAG_INCOMPLETE, DAG_TOO_DEEP, DAG_TOO_LARGE
   */
  factsOf(root: CID): DagFacts {
    const rootOrdinal = this.#ordinals.get(keyOf(root));
    if (rootOrdinal === undefined) throw incomplete(root.toString());
    const cumulative = new Float64Array(this.#sizes.length).fill(NOT_SEEN);
    const depths = new Uint32Array(this.#sizes.length);
    let blockCount = 0;
    let storedBytes = 0;
    for (const ordinal of this.#childrenFirst(rootOrdinal, cumulative)) {
      const sizeBytes = this.#sizes[ordinal] ?? 0;
      let sum = sizeBytes;
      let depth = 0;
      for (let index = 0, child = this.#childAt(ordinal, 0); child !== undefined; ) {
        sum += cumulative[child] ?? 0;
        depth = Math.max(depth, depths[child] ?? 0);
        index += 1;
        child = this.#childAt(ordinal, index);
      }
      if (sum > this.#limits.maxCumulativeBytes) throw this.#tooLarge(sum);
      if (depth >= this.#limits.maxDepth) throw this.#tooDeep();
      depths[ordinal] = depth + 1;
      cumulative[ordinal] = sum;
      blockCount += 1;
      storedBytes += sizeBytes;
    }
    const strayBlockCount = this.#blockCount - blockCount;
    return { blockCount, storedBytes, cumulativeBytes: cumulative[rootOrdinal] ?? 0, strayBlockCount };
  }

  /** Reachable blocks, each once and after all that it links to. `done` marks those that were handed out. */
  *#childrenFirst(root: number, done: Float64Array): Generator<number> {
    const path = [{ ordinal: root, next: 0 }];
    this.#assertSeen(root);
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const child = this.#childAt(top.ordinal, top.next);
      if (child === undefined) {
        path.pop();
        yield top.ordinal;
        continue;
      }
      top.next += 1;
      if (done[child] !== NOT_SEEN) continue;
      this.#assertSeen(child);
      if (path.length >= this.#limits.maxDepth) throw this.#tooDeep();
      path.push({ ordinal: child, next: 0 });
    }
  }

  #childAt(ordinal: number, index: number): number | undefined {
    if (index >= (this.#linkCount[ordinal] ?? 0)) return undefined;
    return this.#links[(this.#firstLink[ordinal] ?? 0) + index];
  }

  #ordinalOf(cid: CID): number {
    const key = keyOf(cid);
    const known = this.#ordinals.get(key);
    if (known !== undefined) return known;
    const ordinal = this.#sizes.length;
    if (ordinal >= this.#limits.maxBlocks) {
      throw new BlobError("DAG_TOO_MANY_BLOCKS", `a DAG may have ${this.#limits.maxBlocks} blocks at most`, {
        maxBlocks: this.#limits.maxBlocks,
      });
    }
    this.#ordinals.set(key, ordinal);
    this.#sizes.push(NOT_SEEN);
    this.#firstLink.push(0);
    this.#linkCount.push(0);
    return ordinal;
  }

  #assertLinks(moreLinks: number): void {
    const { maxLinks } = this.#limits;
    if (this.#links.length + moreLinks <= maxLinks) return;
    throw new BlobError("DAG_TOO_MANY_LINKS", `a DAG may have ${maxLinks} links at most`, { maxLinks });
  }

  #assertSeen(ordinal: number): void {
    if (this.#sizes[ordinal] !== NOT_SEEN) return;
    for (const [key, other] of this.#ordinals) if (other === ordinal) throw incomplete(textOfKey(key));
  }

  #tooDeep(): BlobError {
    const { maxDepth } = this.#limits;
    return new BlobError("DAG_TOO_DEEP", `a DAG may be ${maxDepth} blocks deep at most`, { maxDepth });
  }

  #tooLarge(cumulativeBytes: number): BlobError {
    const { maxCumulativeBytes } = this.#limits;
    return new BlobError("DAG_TOO_LARGE", `a DAG may claim ${maxCumulativeBytes} bytes at most`, {
      maxCumulativeBytes,
      cumulativeBytes,
    });
  }
}

/** Codec and digest: the same bytes read as raw and as dag-pb are two nodes, one with links and one without. */
function keyOf(cid: CID): string {
  return `${cid.code}:${Buffer.from(cid.multihash.digest).toString("latin1")}`;
}

function textOfKey(key: string): string {
  const at = key.indexOf(":");
  return cidOf(1, Number(key.slice(0, at)), Buffer.from(key.slice(at + 1), "latin1")).toString();
}

function incomplete(block: string): BlobError {
  return new BlobError(
    "DAG_INCOMPLETE",
    "a block of the DAG is missing: send all blocks that the root links to",
    {
      block,
    },
  );
}
