import { createHash } from "node:crypto";
import * as dagPb from "@ipld/dag-pb";
import { UnixFS } from "ipfs-unixfs";
import type { CID } from "multiformats/cid";
import { Chunker } from "./chunker.ts";
import { type Block, cidOf, DAG_PB, RAW, sha256Of } from "./cids.ts";
import type { DagLayout } from "./dag-layout.ts";
import { leafFrame } from "./leaf-frame.ts";

/** A finished part of the tree. */
export interface DagPart {
  readonly cid: CID;
  /** Bytes of the file under it. */
  readonly contentBytes: number;
  /** Bytes of all blocks under it and of its own. */
  readonly cumulativeBytes: number;
}

export interface Leaf {
  readonly cid: CID;
  /** Bytes of the file in this leaf; valid only during the call. */
  readonly chunk: Uint8Array;
  readonly offsetBytes: number;
}

export interface FileDagSink {
  onLeaf?(leaf: Leaf): void;
  /** Nodes above the leaves, children before parents. */
  onNode?(node: Block): void;
}

/**
 * Builds the balanced UnixFS tree of one file in a single pass: give it all bytes in order, then `finish`.
 *
 * It keeps one row of links a level, nothing of the content. It is written for this rather than taken from
 * ipfs-unixfs-importer because several layouts must be computed at once while the bytes pass by, which a library
 * that pulls from one source cannot do.
 */
export class FileDagBuilder {
  readonly #layout: DagLayout;
  readonly #sink: FileDagSink;
  readonly #chunker: Chunker;
  readonly #levels: DagPart[][] = [];
  #offsetBytes = 0;

  constructor(layout: DagLayout, sink: FileDagSink = {}) {
    this.#layout = layout;
    this.#sink = sink;
    this.#chunker = new Chunker(layout.chunkBytes, (chunk) => this.#addLeaf(chunk));
  }

  update(piece: Uint8Array): void {
    this.#chunker.update(piece);
  }

  /** The root; nothing may be added after it. */
  finish(): DagPart {
    this.#chunker.finish();
    for (let level = 0; ; level += 1) {
      const parts = this.#levels[level] ?? [];
      const [only] = parts;
      if (only !== undefined && parts.length === 1 && level === this.#levels.length - 1) return only;
      if (parts.length > 0) this.#collapse(level);
    }
  }

  #addLeaf(chunk: Uint8Array): void {
    const { rawLeaves, cidVersion } = this.#layout;
    const frame = rawLeaves ? undefined : leafFrame(chunk.byteLength);
    const cid =
      frame === undefined
        ? cidOf(1, RAW, sha256Of(chunk))
        : cidOf(
            cidVersion,
            DAG_PB,
            createHash("sha256").update(frame.before).update(chunk).update(frame.after).digest(),
          );
    const frameBytes = frame === undefined ? 0 : frame.before.byteLength + frame.after.byteLength;
    this.#sink.onLeaf?.({ cid, chunk, offsetBytes: this.#offsetBytes });
    this.#offsetBytes += chunk.byteLength;
    this.#addPart(0, {
      cid,
      contentBytes: chunk.byteLength,
      cumulativeBytes: chunk.byteLength + frameBytes,
    });
  }

  #addPart(level: number, part: DagPart): void {
    const parts = this.#levels[level] ?? [];
    this.#levels[level] = parts;
    parts.push(part);
    if (parts.length === this.#layout.maxLinks) this.#collapse(level);
  }

  #collapse(level: number): void {
    const parts = this.#levels[level] ?? [];
    this.#levels[level] = [];
    const { block, part } = parentOf(parts, this.#layout.cidVersion);
    this.#sink.onNode?.(block);
    this.#addPart(level + 1, part);
  }
}

function parentOf(children: readonly DagPart[], cidVersion: 0 | 1): { block: Block; part: DagPart } {
  const data = new UnixFS({ type: "file" });
  let contentBytes = 0;
  let childrenBytes = 0;
  for (const child of children) {
    data.addBlockSize(BigInt(child.contentBytes));
    contentBytes += child.contentBytes;
    childrenBytes += child.cumulativeBytes;
  }
  const links = children.map(({ cid, cumulativeBytes }) => ({ Name: "", Hash: cid, Tsize: cumulativeBytes }));
  const bytes = dagPb.encode({ Data: data.marshal(), Links: links });
  const cid = cidOf(cidVersion, DAG_PB, sha256Of(bytes));
  return {
    block: { cid, bytes },
    part: { cid, contentBytes, cumulativeBytes: bytes.byteLength + childrenBytes },
  };
}
