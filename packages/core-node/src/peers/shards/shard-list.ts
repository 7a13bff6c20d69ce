import { MAX_SHARDS } from "@twentysix/protocol";
import type { ErasureCode, KeptCoding, ShardNames } from "@twentysix/storage";

/** How a file is cut into shards, and what each is called. */
export interface ShardNaming extends ErasureCode {
  /** Bytes of what is cut: the file, or the CAR of its blocks. */
  readonly codedBytes: number;
  /** By position. */
  readonly shards: readonly ShardNames[];
}

/** What a peer says of a file's shards, and which it holds. Its word and no more. */
export interface ShardList extends ShardNaming {
  readonly held: readonly number[];
}

const SHA256 = /^[0-9a-f]{64}$/;
const CID = /^ba[a-z2-7]{57}$/;

/** What this node tells of a file's shards. */
export function shardListOf({ dataShards, totalShards, codedBytes, shards }: KeptCoding): ShardList {
  return {
    dataShards,
    totalShards,
    codedBytes,
    shards: shards.map(({ sha256, cid }) => ({ sha256, cid })),
    held: shards.filter(({ isHeld }) => isHeld).map(({ position }) => position),
  };
}

/** null: the text makes no sense, or the file would be larger than is taken. */
export function readShardList(text: string, maxFileBytes: number): ShardList | null {
  const value = parse(text);
  if (value === null) return null;
  const { dataShards, totalShards, codedBytes, shards, held } = value;
  const isCode = isCount(dataShards) && isCount(totalShards) && dataShards >= 1 && dataShards < totalShards;
  if (!isCode || totalShards > MAX_SHARDS) return null;
  if (!isCount(codedBytes) || codedBytes < 1 || codedBytes > maxFileBytes) return null;
  if (!Array.isArray(shards) || shards.length !== totalShards || !shards.every(isShard)) return null;
  if (!Array.isArray(held) || !held.every((one) => isCount(one) && one < totalShards)) return null;
  const names = shards.map(({ sha256, cid }) => ({ sha256, cid }));
  return { dataShards, totalShards, codedBytes, shards: names, held: [...new Set<number>(held)] };
}

/** Two lists name the same shards. */
export function areSameShards(a: ShardNaming, b: ShardNaming): boolean {
  return (
    a.dataShards === b.dataShards &&
    a.totalShards === b.totalShards &&
    a.codedBytes === b.codedBytes &&
    a.shards.every(({ sha256 }, position) => b.shards[position]?.sha256 === sha256)
  );
}

function parse(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

const isCount = (value: unknown): value is number =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0;

function isShard(value: unknown): value is ShardNames {
  if (typeof value !== "object" || value === null || !("sha256" in value) || !("cid" in value)) return false;
  const { sha256, cid } = value;
  return typeof sha256 === "string" && typeof cid === "string" && SHA256.test(sha256) && CID.test(cid);
}
