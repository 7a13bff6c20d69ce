import { NetworkError } from "@twentysix/network";
import { type Logger, PlatformError } from "@twentysix/platform";
import { BlobError, type FileRecords, joinShards } from "@twentysix/storage";
import type { KeptFile } from "../../api/services.ts";
import { CONTENT_PROTOCOL } from "../content-protocol.ts";
import type { SourceCredit } from "../sources/source-credit.ts";
import { askForShardList, type ShardPeers } from "./ask-for-shards.ts";
import type { ShardGatherer } from "./shard-gatherer.ts";
import type { ShardNaming } from "./shard-list.ts";

export interface ShardFetcherOptions extends ShardPeers {
  readonly records: Pick<FileRecords, "keptFile">;
  readonly gatherer: ShardGatherer;
  readonly credit: Pick<SourceCredit, "inOrder" | "wrong">;
  readonly log: Logger;
}

/** Keeps a whole content under its hash, which the bytes must have. @throws BlobError for others */
export type KeepWhole = (hash: string, read: () => AsyncIterable<Uint8Array>) => Promise<KeptFile>;

const WRONG: ReadonlySet<string> = new Set([
  "BLOB_HASH_MISMATCH",
  "BLOB_SIZE_EXCEEDED",
  "BLOCK_HASH_MISMATCH",
  "CAR_ROOT_MISMATCH",
  "CAR_TRUNCATED",
  "CAR_VARINT_INVALID",
  "CAR_HEADER_INVALID",
  "CAR_HEADER_TOO_LARGE",
  "CAR_VERSION_UNSUPPORTED",
  "CAR_ROOT_COUNT",
  "CAR_SECTION_INVALID",
  "DAG_INCOMPLETE",
]);

/**
 * Makes a file that nobody has whole out of its shards. What they are called this node knows from the time when it had
 * the file; else a peer's word is taken until the file has, or has not, the hash that was asked for.
 */
export class ShardFetcher {
  readonly #options: ShardFetcherOptions;

  constructor(options: ShardFetcherOptions) {
    this.#options = options;
  }

  /** null: not enough of its shards can be had now. */
  async fetch(hash: string, keep: KeepWhole, signal: AbortSignal): Promise<KeptFile | null> {
    const { records, log } = this.#options;
    const coding = (await records.keptFile(hash))?.coding ?? null;
    if (coding === null) return await this.#fromClaims(hash, keep, signal);
    const own = coding.shards.filter(({ isHeld }) => isHeld).map(({ position }) => position);
    const kept = await this.#make(hash, coding, own, keep, signal);
    if (kept === "wrong") log.error("The shards that this node computed do not give the file", { hash });
    return kept === "wrong" ? null : kept;
  }

  async #fromClaims(hash: string, keep: KeepWhole, signal: AbortSignal): Promise<KeptFile | null> {
    const { streams, credit, log } = this.#options;
    const peers = streams.peersWith(CONTENT_PROTOCOL).map((name) => ({ name }));
    for (const { name: peerId } of credit.inOrder(peers)) {
      if (signal.aborted) return null;
      try {
        const list = await askForShardList(this.#options, peerId, hash, signal);
        if (list === null) continue;
        const kept = await this.#make(hash, list, [], keep, signal);
        if (kept !== "wrong" && kept !== null) return kept;
        if (kept === "wrong") credit.wrong(peerId, hash);
      } catch (error) {
        if (signal.aborted) return null;
        const isTimeout = error instanceof PlatformError && error.code === "TIMEOUT";
        if (!(error instanceof NetworkError) && !isTimeout) throw error;
        log.debug("A peer does not tell of shards", { hash, peerId, error });
      }
    }
    return null;
  }

  async #make(
    hash: string,
    naming: ShardNaming,
    own: readonly number[],
    keep: KeepWhole,
    signal: AbortSignal,
  ): Promise<KeptFile | "wrong" | null> {
    const wanted = naming.shards.map((_, position) => position);
    const request = { hash, naming, own, wanted, count: naming.dataShards };
    const gathered = await this.#options.gatherer.gather(request, signal);
    if (gathered === null) return null;
    await using shards = gathered;
    try {
      return await keep(hash, () => joinShards(shards.sources, naming.codedBytes, naming));
    } catch (error) {
      if (error instanceof BlobError && WRONG.has(error.code)) return "wrong";
      throw error;
    }
  }
}
