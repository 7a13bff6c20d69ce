import type { Logger } from "@twentysix/platform";
import { itemTypeOfHash } from "@twentysix/protocol";
import {
  BlobError,
  type ContentStore,
  cutShards,
  type ErasureCode,
  FileNamer,
  type FileNote,
  type FileRecords,
  type KeptFileRecord,
  type ReadShard,
  remakeShards,
  shardBytes,
} from "@twentysix/storage";
import type { FileHolds } from "../../content/file-holds.ts";
import type { ShardGatherer } from "./shard-gatherer.ts";
import type { ShardNaming } from "./shard-list.ts";

export interface ShardKeeperOptions {
  readonly contents: ContentStore;
  readonly holds: FileHolds;
  readonly gatherer: ShardGatherer;
  readonly records: Pick<FileRecords, "isRegistered">;
  readonly note: (note: FileNote) => Promise<void>;
  readonly log: Logger;
}

const PIECE_BYTES = 256 * 1024;

/** Cuts files into shards, and keeps those that are this node's. */
export class ShardKeeper {
  readonly #options: ShardKeeperOptions;

  constructor(options: ShardKeeperOptions) {
    this.#options = options;
  }

  /** Computes what the shards of a file that is here are called, and writes it down. null: it cannot be read. */
  async name(file: KeptFileRecord, code: ErasureCode): Promise<ShardNaming | null> {
    const { holds, note, log } = this.#options;
    const { name } = file;
    using _hold = await holds.hold(name);
    const { dataShards, totalShards } = code;
    const positions = Array.from({ length: totalShards }, (_, position) => position);
    const namers = positions.map(() => new FileNamer(["sha256", "fixedCid"]));
    let codedBytes = 0;
    try {
      const source = counted(this.#read(name), (bytes) => {
        codedBytes += bytes;
      });
      for await (const cells of cutShards(source, code, positions))
        for (const [position, cell] of cells) namers[position]?.update(cell);
    } catch (error) {
      if (!(error instanceof BlobError)) throw error;
      log.error("A file that is to be kept in shards cannot be read", { name, error });
      return null;
    }
    const shards = namers.map((namer) => {
      const { sha256 = "", fixedCid = "" } = namer.finish();
      return { sha256, cid: fixedCid };
    });
    const naming = { dataShards, totalShards, codedBytes, shards };
    await note({ kind: "coded", name, ...naming });
    return naming;
  }

  /** Keeps a shard: cut from the file if that is here, else got from who has it, else made of others. */
  async keep(
    file: KeptFileRecord,
    naming: ShardNaming,
    own: readonly number[],
    position: number,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { holds, note, log } = this.#options;
    const shard = naming.shards[position];
    if (shard === undefined) return false;
    using _hold = await holds.hold(shard.cid);
    try {
      const isKept =
        file.damage === null
          ? await this.#cut(file.name, naming, position)
          : await this.#getOrMake(file.name, naming, own, position, signal);
      if (isKept) await note({ kind: "shards", name: file.name, held: [position], dropped: [] });
      return isKept;
    } catch (error) {
      if (!(error instanceof BlobError)) throw error;
      log.error("A shard cannot be kept", { name: file.name, position, error });
      return false;
    }
  }

  async #cut(name: string, naming: ShardNaming, position: number): Promise<boolean> {
    using _hold = await this.#options.holds.hold(name);
    const cells = cutShards(this.#read(name), naming, [position]);
    await this.#put(naming, position, cellsOf(cells, position));
    return true;
  }

  async #getOrMake(
    hash: string,
    naming: ShardNaming,
    own: readonly number[],
    position: number,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { gatherer } = this.#options;
    const others = naming.shards.map((_, at) => at).filter((at) => at !== position);
    const ready = await gatherer.gather({ hash, naming, own: [], wanted: [position], count: 1 }, signal);
    if (ready !== null) {
      await using shards = ready;
      await this.#put(naming, position, wholeShard(shards.sources.get(position), naming));
      return true;
    }
    const parts = { hash, naming, own, wanted: others, count: naming.dataShards };
    const gathered = await gatherer.gather(parts, signal);
    if (gathered === null) return false;
    await using shards = gathered;
    const remade = remakeShards(shards.sources, naming.codedBytes, naming, [position]);
    await this.#put(naming, position, cellsOf(remade, position));
    return true;
  }

  async #put(naming: ShardNaming, position: number, bytes: AsyncIterable<Uint8Array>): Promise<void> {
    const expectedRoot = naming.shards[position]?.cid ?? "";
    const { contents, records } = this.#options;
    // What is left under its name may be damaged, and would be taken for it.
    const isLeft = (await contents.index.find(expectedRoot)) !== undefined;
    if (isLeft && !(await records.isRegistered(expectedRoot))) await contents.remove(expectedRoot);
    await contents.addFile(bytes, ["fixedCid"], { expectedRoot });
  }

  /** What is cut: the bytes of a file that a SHA-256 names, the blocks of what a CID does. */
  #read(name: string): AsyncIterable<Uint8Array> {
    const { contents } = this.#options;
    return itemTypeOfHash(name) === "ipfs" ? contents.exportCar(name) : contents.read(name);
  }
}

async function* cellsOf(
  stripes: AsyncIterable<ReadonlyMap<number, Uint8Array>>,
  position: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const cells of stripes) {
    const cell = cells.get(position);
    if (cell !== undefined) yield cell;
  }
}

async function* wholeShard(
  read: ReadShard | undefined,
  naming: ShardNaming,
): AsyncGenerator<Uint8Array, void, undefined> {
  const sizeBytes = shardBytes(naming.codedBytes, naming);
  for (let at = 0; read !== undefined && at < sizeBytes; at += PIECE_BYTES)
    yield await read(at, Math.min(PIECE_BYTES, sizeBytes - at));
}

async function* counted(
  bytes: AsyncIterable<Uint8Array>,
  onBytes: (count: number) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const piece of bytes) {
    onBytes(piece.byteLength);
    yield piece;
  }
}
