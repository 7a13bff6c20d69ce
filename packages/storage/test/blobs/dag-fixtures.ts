import * as dagPb from "@ipld/dag-pb";
import { createTimers } from "@twentysix/platform";
import { UnixFS } from "ipfs-unixfs";
import type { CID } from "multiformats/cid";
import type { BlockSource } from "../../src/blobs/block-source.ts";
import { encodeCarHeader } from "../../src/blobs/car-header.ts";
import { sectionHead } from "../../src/blobs/car-writer.ts";
import { type Block, cidOf, DAG_PB, RAW, sha256Of } from "../../src/blobs/cids.ts";
import { ContentStore, type ContentStoreOptions } from "../../src/blobs/content-store.ts";
import { BlobError } from "../../src/blobs/errors.ts";
import { SqliteBlockIndex } from "../../src/blobs/sqlite-block-index.ts";
import { SimulatedDisk } from "./simulated-disk.ts";

const timers = createTimers((_delayMs, callback) => {
  const handle = setImmediate(callback);
  return () => clearImmediate(handle);
});

/** A content store in memory. */
export async function memoryStore(
  options: Partial<ContentStoreOptions> = {},
): Promise<{ store: ContentStore; disk: SimulatedDisk }> {
  const disk = new SimulatedDisk();
  const index = new SqliteBlockIndex(":memory:", timers);
  const store = await ContentStore.open({ folder: "/store", fileSystem: disk, index, timers, ...options });
  return { store, disk };
}

/** A content store in a folder. */
export function folderStore(folder: string): Promise<ContentStore> {
  return ContentStore.open({ folder, timers });
}

export function rawBlock(bytes: Uint8Array): Block {
  return { cid: cidOf(1, RAW, sha256Of(bytes)), bytes };
}

export function nodeBlock(node: dagPb.PBNode): Block {
  const bytes = dagPb.encode(dagPb.prepare(node));
  return { cid: cidOf(1, DAG_PB, sha256Of(bytes)), bytes };
}

export interface Child {
  readonly cid: CID;
  readonly name?: string;
  readonly contentBytes?: number;
  readonly cumulativeBytes?: number;
}

export function fileNode(children: readonly Child[]): Block {
  const data = new UnixFS({ type: "file" });
  for (const { contentBytes = 0 } of children) data.addBlockSize(BigInt(contentBytes));
  return nodeBlock({
    Data: data.marshal(),
    Links: children.map(({ cid, cumulativeBytes = 0 }) => ({
      Name: "",
      Hash: cid,
      Tsize: Math.min(cumulativeBytes, 2 ** 50),
    })),
  });
}

export function directoryNode(
  children: readonly Child[],
  type: "directory" | "symlink" = "directory",
): Block {
  const Links = children.map(({ cid, name = "", cumulativeBytes = 0 }) => ({
    Name: name,
    Hash: cid,
    Tsize: cumulativeBytes,
  }));
  return nodeBlock({ Data: new UnixFS({ type }).marshal(), Links });
}

export function symlinkNode(target: string): Block {
  return nodeBlock({ Data: new UnixFS({ type: "symlink", data: Buffer.from(target) }).marshal(), Links: [] });
}

/** A CARv1 of the blocks given, in their order. */
export function carOf(roots: readonly CID[], blocks: readonly Block[]): Buffer {
  return Buffer.concat([
    encodeCarHeader(roots),
    ...blocks.flatMap((block) => [sectionHead(block), block.bytes]),
  ]);
}

/** Blocks in memory. */
export function blockMap(blocks: readonly Block[]): BlockSource {
  const byCid = new Map(blocks.map(({ cid, bytes }) => [cid.toString(), bytes]));
  return {
    getBlock: async (cid) => {
      const bytes = byCid.get(cid.toString());
      if (bytes === undefined) throw new BlobError("BLOCK_NOT_FOUND", "no such block");
      return bytes;
    },
  };
}

/**
 * A file of `levels` nodes, each linking the one below `fanout` times: a few kilobytes that claim
 * `fanout ** levels` times the bytes of the leaf.
 */
export function bomb(leafBytes: number, fanout: number, levels: number): { root: CID; blocks: Block[] } {
  const leaf = rawBlock(new Uint8Array(leafBytes));
  const blocks = [leaf];
  let child: Child = { cid: leaf.cid, contentBytes: leafBytes, cumulativeBytes: leafBytes };
  for (let level = 0; level < levels; level += 1) {
    const node = fileNode(Array.from({ length: fanout }, () => child));
    blocks.unshift(node);
    child = {
      cid: node.cid,
      contentBytes: (child.contentBytes ?? 0) * fanout,
      cumulativeBytes: node.bytes.byteLength + (child.cumulativeBytes ?? 0) * fanout,
    };
  }
  return { root: child.cid, blocks };
}
