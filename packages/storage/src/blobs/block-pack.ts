import type { BlockEntry } from "./block-index.ts";
import { encodeCarHeader } from "./car-header.ts";
import { sectionHead } from "./car-writer.ts";
import type { Block } from "./cids.ts";

/**
 * Lays blocks out one after the other in the form of a CAR file without roots and notes where each came to stand.
 * Any tool that reads CAR files reads a pack, and the index can be made again from it.
 */
export class BlockPack {
  readonly #entries: BlockEntry[] = [];
  #offsetBytes = 0;

  /** What to write before the first block. */
  head(): Uint8Array {
    return this.#advance(encodeCarHeader([]));
  }

  /** What to write for one block. */
  *section(block: Block): Generator<Uint8Array, void, undefined> {
    yield this.#advance(sectionHead(block));
    this.#entries.push({
      // A copy: the digest is often a view of the whole block.
      digest: block.cid.multihash.digest.slice(),
      holder: "pack",
      offsetBytes: this.#offsetBytes,
      lengthBytes: block.bytes.byteLength,
      isWrapped: false,
    });
    yield this.#advance(block.bytes);
  }

  /** Where the blocks stand. */
  get entries(): readonly BlockEntry[] {
    return this.#entries;
  }

  #advance(bytes: Uint8Array): Uint8Array {
    this.#offsetBytes += bytes.byteLength;
    return bytes;
  }
}

/** A pack of blocks at hand. `entries` are complete from the start. */
export function packNodes(nodes: readonly Block[]): {
  readonly pieces: readonly Uint8Array[];
  readonly entries: readonly BlockEntry[];
} {
  const pack = new BlockPack();
  const pieces = [pack.head(), ...nodes.flatMap((node) => [...pack.section(node)])];
  return { pieces, entries: pack.entries };
}
