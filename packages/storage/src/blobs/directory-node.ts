import * as dagPb from "@ipld/dag-pb";
import { UnixFS } from "ipfs-unixfs";
import { importer } from "ipfs-unixfs-importer";
import type { CID } from "multiformats/cid";
import { type Block, cidOf, DAG_PB, sha256Of } from "./cids.ts";
import type { DagPart } from "./file-dag-builder.ts";

/** Names and CIDs of so many bytes turn a directory into shards, as in Kubo. */
const SHARD_THRESHOLD_BYTES = 262_144;

/**
 * The block or, for a large directory, the shards of one directory whose entries are finished. The root is last.
 */
export async function encodeDirectory(
  entries: ReadonlyMap<string, DagPart>,
  cidVersion: 0 | 1,
): Promise<{ blocks: readonly Block[]; part: DagPart }> {
  let namesBytes = 0;
  for (const [name, { cid }] of entries) namesBytes += Buffer.byteLength(name) + cid.byteLength;
  return namesBytes >= SHARD_THRESHOLD_BYTES
    ? await encodeShards(entries, cidVersion)
    : encodePlain(entries, cidVersion);
}

function encodePlain(
  entries: ReadonlyMap<string, DagPart>,
  cidVersion: 0 | 1,
): { blocks: readonly Block[]; part: DagPart } {
  const links = [...entries].map(([Name, { cid, cumulativeBytes }]) => ({
    Name,
    Hash: cid,
    Tsize: cumulativeBytes,
  }));
  const data = new UnixFS({ type: "directory" }).marshal();
  const bytes = dagPb.encode(dagPb.prepare({ Data: data, Links: links }));
  const cid = cidOf(cidVersion, DAG_PB, sha256Of(bytes));
  const cumulativeBytes = links.reduce((sum, { Tsize }) => sum + Tsize, bytes.byteLength);
  return { blocks: [{ cid, bytes }], part: { cid, contentBytes: 0, cumulativeBytes } };
}

/**
 * The hash-array-mapped trie of Kubo, by ipfs-unixfs-importer. Its own decision when to shard is not used: it
 * counts no sub-directories and begins one byte later than Kubo.
 */
async function encodeShards(
  entries: ReadonlyMap<string, DagPart>,
  cidVersion: 0 | 1,
): Promise<{ blocks: readonly Block[]; part: DagPart }> {
  const blocks: Block[] = [];
  const sink = {
    put: async (cid: CID, bytes: unknown): Promise<CID> => {
      blocks.push({ cid, bytes: bytes as Uint8Array });
      return cid;
    },
  };
  let root: DagPart | undefined;
  const results = importer([], sink, {
    cidVersion,
    wrapWithDirectory: true,
    shardSplitStrategy: "links-bytes",
    shardSplitThresholdBytes: -1,
    dagBuilder: async function* () {
      for (const [path, { cid, cumulativeBytes }] of entries) {
        yield async () => ({ path, cid, size: BigInt(cumulativeBytes) });
      }
    },
  });
  for await (const { cid, size, path } of results) {
    if (path === "") root = { cid, contentBytes: 0, cumulativeBytes: Number(size) };
  }
  if (root === undefined) throw new Error("the importer gave no root for a sharded directory");
  return { blocks, part: root };
}
