import { createHash, randomUUID } from "node:crypto";
import { join } from "node:path";
import { NetworkError } from "@twentysix/network";
import { type Logger, PlatformError } from "@twentysix/platform";
import { BlobError, type ContentStore, type ReadShard, shardBytes } from "@twentysix/storage";
import { ApiError } from "../../api/errors.ts";
import type { FileHolds } from "../../content/file-holds.ts";
import type { WorkingFiles } from "../../content/working-files.ts";
import type { DiskReservation } from "../../services/budgets.ts";
import { CONTENT_PROTOCOL } from "../content-protocol.ts";
import type { SourceCredit } from "../sources/source-credit.ts";
import { askForShardList, getShard, type ShardPeers } from "./ask-for-shards.ts";
import { areSameShards, type ShardNaming } from "./shard-list.ts";

export interface ShardGathererOptions extends ShardPeers {
  readonly contents: ContentStore;
  readonly holds: FileHolds;
  /** Where shards of others are kept while they are needed. */
  readonly folder: string;
  readonly files: WorkingFiles;
  readonly reserveDisk: () => DiskReservation;
  readonly credit: Pick<SourceCredit, "inOrder" | "wrong" | "brokeOff" | "gave">;
  /** Peers that are likely to have shards of a file, the likeliest first. */
  readonly likely: (hash: string) => readonly string[];
  readonly log: Logger;
}

export interface ShardRequest {
  readonly hash: string;
  readonly naming: ShardNaming;
  /** Positions of those that are here. */
  readonly own: readonly number[];
  /** Positions that are of use, and how many of them are wanted. */
  readonly wanted: readonly number[];
  readonly count: number;
}

/** Shards at hand, until they are given back. */
export interface GatheredShards extends AsyncDisposable {
  readonly sources: ReadonlyMap<number, ReadShard>;
}

/** Peers that are asked at once, and how often each of them. */
const MAX_PEERS = 4;
const ROUNDS = 2;

/** Brings shards of a file together, its own first. Each is hashed before it is used. */
export class ShardGatherer {
  readonly #options: ShardGathererOptions;

  constructor(options: ShardGathererOptions) {
    this.#options = options;
  }

  /** null: so many cannot be had now. */
  async gather(request: ShardRequest, signal: AbortSignal): Promise<GatheredShards | null> {
    const sources = new Map<number, ReadShard>();
    await using opened = new AsyncDisposableStack();
    for (const position of request.own)
      if (sources.size < request.count && request.wanted.includes(position))
        await this.#openOwn(request, position, sources, opened);
    try {
      for (let round = 0; round < ROUNDS && sources.size < request.count; round += 1)
        await this.#askAll(request, sources, opened, signal);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#options.log.warn("There is no room for the shards of a file", { hash: request.hash, error });
      return null;
    }
    if (sources.size < request.count) return null;
    const kept = opened.move();
    return { sources, [Symbol.asyncDispose]: () => kept.disposeAsync() };
  }

  async #openOwn(
    { naming, hash }: ShardRequest,
    position: number,
    sources: Map<number, ReadShard>,
    opened: AsyncDisposableStack,
  ): Promise<void> {
    const { contents, holds, log } = this.#options;
    const shard = naming.shards[position];
    if (shard === undefined) return;
    opened.use(await holds.hold(shard.cid));
    try {
      const reader = await contents.files.open(shard.sha256);
      if (reader === undefined) return;
      opened.use(reader);
      const digest = createHash("sha256");
      for await (const piece of reader.read()) digest.update(piece);
      if (digest.digest("hex") === shard.sha256)
        sources.set(position, (offset, length) => reader.readAt(offset, length));
      else log.error("A shard that is kept here is corrupt", { hash, position });
    } catch (error) {
      if (!(error instanceof BlobError)) throw error;
      log.error("A shard that is kept here cannot be read", { hash, position, error });
    }
  }

  async #askAll(
    request: ShardRequest,
    sources: Map<number, ReadShard>,
    opened: AsyncDisposableStack,
    signal: AbortSignal,
  ): Promise<void> {
    const { streams, credit, likely } = this.#options;
    const connected = streams.peersWith(CONTENT_PROTOCOL);
    const trusted = credit.inOrder(connected.map((name) => ({ name }))).map(({ name }) => name);
    const first = likely(request.hash).filter((peerId) => trusted.includes(peerId));
    const queue = [...new Set([...first, ...trusted])];
    const taken = new Set(sources.keys());
    const work = async (): Promise<void> => {
      for (let peerId = queue.shift(); peerId !== undefined; peerId = queue.shift()) {
        if (sources.size >= request.count || signal.aborted) return;
        await this.#ask(peerId, request, { sources, taken, opened }, signal);
      }
    };
    const done = await Promise.allSettled(Array.from({ length: MAX_PEERS }, work));
    for (const result of done) if (result.status === "rejected") throw result.reason;
  }

  async #ask(
    peerId: string,
    { hash, naming, wanted, count }: ShardRequest,
    { sources, taken, opened }: Gathering,
    signal: AbortSignal,
  ): Promise<void> {
    const { credit, log } = this.#options;
    try {
      const list = await askForShardList(this.#options, peerId, hash, signal);
      if (list === null || !areSameShards(list, naming)) return;
      for (const position of list.held) {
        const shard = naming.shards[position];
        if (shard === undefined || !wanted.includes(position) || taken.has(position)) continue;
        if (taken.size >= count) return;
        taken.add(position);
        const read = await this.#get(peerId, { hash, position, naming }, opened, signal).finally(() =>
          taken.delete(position),
        );
        if (read === null) {
          credit.wrong(peerId, hash);
          return;
        }
        taken.add(position);
        sources.set(position, read);
        credit.gave(peerId);
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof NetworkError) && !isTimeout(error)) throw error;
      credit.brokeOff(peerId);
      log.debug("A peer does not give shards", { hash, peerId, error });
    }
  }

  /** null: it sent something else. */
  async #get(
    peerId: string,
    {
      hash,
      position,
      naming,
    }: { readonly hash: string; readonly position: number; readonly naming: ShardNaming },
    opened: AsyncDisposableStack,
    signal: AbortSignal,
  ): Promise<ReadShard | null> {
    const { folder, files, reserveDisk } = this.#options;
    const sizeBytes = shardBytes(naming.codedBytes, naming);
    opened.use(reserveDisk()).grow(sizeBytes);
    await files.makeFolder(folder);
    const path = join(folder, `shard-${randomUUID()}`);
    opened.defer(() => files.remove(path));
    const file = opened.use(await files.create(path));
    const { sha256 = "" } = naming.shards[position] ?? {};
    if (!(await getShard(this.#options, peerId, { hash, position, sha256, sizeBytes }, file, signal)))
      return null;
    return async (offset, length) => {
      const bytes = await file.readAt(offset, length);
      if (bytes.byteLength < length)
        throw new BlobError("BLOB_CORRUPT", "a shard is shorter than it was", { path });
      return bytes;
    };
  }
}

interface Gathering {
  readonly sources: Map<number, ReadShard>;
  /** Positions that are here or on their way. */
  readonly taken: Set<number>;
  readonly opened: AsyncDisposableStack;
}

const isTimeout = (error: unknown): boolean => error instanceof PlatformError && error.code === "TIMEOUT";
