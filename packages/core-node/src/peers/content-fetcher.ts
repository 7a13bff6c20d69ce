import { type Network, NetworkError } from "@twentysix/network";
import type { Clock, Logger, Random, Timers } from "@twentysix/platform";
import { itemTypeOfHash } from "@twentysix/protocol";
import {
  BlobError,
  type ContentStore,
  type FileNote,
  type FileRecords,
  type WantedFile,
} from "@twentysix/storage";
import { ApiError } from "../api/errors.ts";
import {
  CarRefusal,
  type KeptFile,
  type NodeStatus,
  type StagedCar,
  type StagedFile,
  type UploadServices,
} from "../api/services.ts";
import type { FileHolds } from "../content/file-holds.ts";
import { keepCarBytes, keepFile } from "../content/uploads.ts";
import type { WorkingFiles } from "../content/working-files.ts";
import type { DiskReservation } from "../services/budgets.ts";
import { CONTENT_PROTOCOL } from "./content-protocol.ts";
import { type KeepPieces, PiecewiseFetcher } from "./pieces/piecewise-fetcher.ts";
import type { KeepWhole, ShardFetcher } from "./shards/shard-fetcher.ts";
import { apiSource } from "./sources/api-source.ts";
import type { ContentAnswer, ContentSource } from "./sources/content-source.ts";
import { firstFound } from "./sources/first-found.ts";
import { gatewaySource } from "./sources/gateway-source.ts";
import type { SourceCredit } from "./sources/source-credit.ts";
import { streamSource } from "./sources/stream-source.ts";
import { whileItMoves } from "./sources/while-it-moves.ts";

export interface ContentFetcherOptions {
  readonly network: Pick<Network, "peerId" | "book" | "streams">;
  /** Nodes at addresses of private networks are called too. */
  readonly isPrivate: boolean;
  /** Trustless gateways that are asked for what a CID names. */
  readonly gateways: readonly string[];
  readonly records: Pick<FileRecords, "wantedFiles" | "keptFile">;
  /** Makes files out of their shards; null where the network keeps none so. */
  readonly shards: Pick<ShardFetcher, "fetch"> | null;
  readonly credit: SourceCredit;
  readonly note: (note: FileNote) => Promise<void>;
  readonly uploads: Pick<UploadServices, "stageFile" | "stageCar" | "registerFile">;
  readonly contents: ContentStore;
  readonly holds: FileHolds;
  /** Folder of files that are on their way in pieces. */
  readonly piecesFolder: string;
  readonly files: WorkingFiles;
  readonly reserveDisk: () => DiskReservation;
  readonly gracePeriodMs: number;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Logger;
}

/** How often it is looked for what messages wait for. */
const PERIOD_MS = 1_000;
const MAX_FETCHES = 8;
/** Names looked at in one turn. */
const MAX_WANTED = 256;
/** Who has not begun to answer by then has nothing. */
const ANSWER_MS = 10_000;
/** Largest file that is taken from others. Source: pyaleph `ipfs.max_upload_car_size`. */
export const MAX_FILE_BYTES = 4 * 1024 * 1024 * 1024;
const MAX_PAUSE_MS = 600_000;

interface Attempts {
  readonly failures: number;
  readonly nextMs: number;
}

/**
 * Gets from other nodes what messages wait for, and what this node should have and has lost. Whatever arrives must have
 * the hash that it was asked by; wrong bytes cost who sent them its credit, and the message nothing.
 */
export class ContentFetcher {
  readonly #options: ContentFetcherOptions;
  readonly #fetching = new Map<string, Promise<boolean>>();
  readonly #attempts = new Map<string, Attempts>();
  readonly #credit: SourceCredit;
  readonly #pieces: PiecewiseFetcher;
  readonly #opened: Promise<void>;
  readonly #ended = new AbortController();
  readonly #done: Promise<void>;
  readonly #figures = { storage: newFigures(), ipfs: newFigures() };

  constructor(options: ContentFetcherOptions) {
    this.#options = options;
    this.#credit = options.credit;
    const { network, piecesFolder, clock } = options;
    this.#pieces = new PiecewiseFetcher({
      ...options,
      streams: network.streams,
      folder: piecesFolder,
      maxFileBytes: MAX_FILE_BYTES,
      credit: this.#credit,
    });
    this.#opened = this.#pieces.open(Number(clock.nowMicros() / 1_000n));
    this.#opened.catch((error: unknown) => options.log.error("Pieces of files cannot be read", { error }));
    this.#done = options.timers.every(PERIOD_MS, () => this.#look(), {
      signal: this.#ended.signal,
      onError: (error) => options.log.error("Looking for missing contents failed", { error }),
    });
  }

  figures(): NodeStatus["storeFetch"] {
    return { storage: { ...this.#figures.storage }, ipfs: { ...this.#figures.ipfs } };
  }

  /** Answers that were not what was asked for. */
  faults(): number {
    return this.#credit.faults;
  }

  /** There is somebody new to ask. */
  peerCame(): void {
    this.#attempts.clear();
  }

  async close(): Promise<void> {
    this.#ended.abort();
    await this.#done;
    await Promise.allSettled(this.#fetching.values());
  }

  async #look(): Promise<void> {
    const { records, clock } = this.#options;
    if (this.#sources().length === 0) return;
    const wanted = await records.wantedFiles(MAX_WANTED);
    const names = new Set(wanted.map(({ name }) => name));
    for (const name of this.#attempts.keys()) if (!names.has(name)) this.#attempts.delete(name);
    for (const file of wanted) {
      if (this.#fetching.size >= MAX_FETCHES || this.#ended.signal.aborted) return;
      const isDue = clock.monotonicMs() >= (this.#attempts.get(file.name)?.nextMs ?? 0);
      if (isDue) void this.fetch(file);
    }
  }

  /** Gets a file now, whatever was tried before; whoever asks for it meanwhile gets the same answer. */
  fetch(file: WantedFile): Promise<boolean> {
    const running = this.#fetching.get(file.name);
    if (running !== undefined) return running;
    const fetching = this.#fetch(file).finally(() => this.#fetching.delete(file.name));
    this.#fetching.set(file.name, fetching);
    return fetching;
  }

  async #fetch(file: WantedFile): Promise<boolean> {
    const { clock, random } = this.#options;
    const { name: hash } = file;
    const startedMs = clock.monotonicMs();
    const figures = this.#figures[itemTypeOfHash(hash) === "storage" ? "storage" : "ipfs"];
    figures.total += 1;
    if ((await this.#fromAnyone(file)) || (await this.#fromShards(file))) {
      figures.durationMs += clock.monotonicMs() - startedMs;
      this.#attempts.delete(hash);
      return true;
    }
    figures.failed += 1;
    const failures = (this.#attempts.get(hash)?.failures ?? 0) + 1;
    const ceilingMs = Math.min(MAX_PAUSE_MS, PERIOD_MS * 2 ** Math.min(failures, 20));
    const nextMs = clock.monotonicMs() + ceilingMs / 2 + random.uniform(ceilingMs);
    this.#attempts.set(hash, { failures, nextMs });
    return false;
  }

  /** Nodes of our own kind that are connected, the APIs of others that were heard of, gateways that the operator named. */
  #sources(): readonly ContentSource[] {
    const { network, isPrivate: allowsPrivate, gateways } = this.#options;
    const { streams, book, peerId: own } = network;
    const ours = streams.peersWith(CONTENT_PROTOCOL);
    const asked = new Set([own, ...ours]);
    const apis = book
      .all()
      .flatMap(({ peerId, apiUrl }) => (apiUrl === null || asked.has(peerId) ? [] : [apiUrl]));
    return [
      ...ours.map((peerId) => streamSource(streams, peerId)),
      ...[...new Set(apis)].map((apiUrl) => apiSource({ apiUrl, allowsPrivate, maxBytes: MAX_FILE_BYTES })),
      ...gateways.map((gatewayUrl) => gatewaySource(gatewayUrl, MAX_FILE_BYTES)),
    ];
  }

  async #fromAnyone(file: WantedFile): Promise<boolean> {
    const { timers, log } = this.#options;
    const { signal } = this.#ended;
    let sources: readonly ContentSource[] = this.#credit.inOrder(this.#sources());
    while (sources.length > 0 && !signal.aborted) {
      const ask = (source: ContentSource, stop: AbortSignal) => this.#ask(source, file.name, stop);
      const found = await firstFound(sources, ask, timers, signal).catch((error: unknown) => {
        if (signal.aborted) return null;
        throw error;
      });
      if (found === null) return false;
      const { source, answer, others } = found;
      sources = others;
      try {
        if (answer.isWhole) await this.#take(source, answer, file);
        else return await this.#inPieces(file);
        return true;
      } catch (error) {
        if (signal.aborted) return false;
        if (isWrong(error)) this.#credit.wrong(source.name, file.name);
        else if (!(error instanceof NetworkError || error instanceof ApiError)) {
          log.error("Content from a peer could not be kept", { hash: file.name, source: source.name, error });
          return false;
        }
        log.debug("A peer did not give what it was asked for", {
          hash: file.name,
          source: source.name,
          error,
        });
      } finally {
        answer.end();
      }
    }
    return false;
  }

  /** null: the source has nothing, or does not answer. */
  async #ask(source: ContentSource, hash: string, signal: AbortSignal): Promise<ContentAnswer | null> {
    const { timers, clock, log } = this.#options;
    const startedMs = clock.monotonicMs();
    const stop = new AbortController();
    const asking = source.ask(hash, AbortSignal.any([signal, stop.signal]));
    try {
      const answer = await timers.withTimeout(ANSWER_MS, () => asking, signal);
      this.#credit.answered(source.name, clock.monotonicMs() - startedMs);
      return answer;
    } catch (error) {
      stop.abort();
      // It may answer all the same, in the moment in which it is given up.
      asking.then(
        (late) => late?.end(),
        () => undefined,
      );
      if (!signal.aborted) {
        this.#credit.answered(source.name, clock.monotonicMs() - startedMs);
        log.debug("A peer does not answer", { hash, source: source.name, error });
      }
      return null;
    }
  }

  async #take(
    source: ContentSource,
    answer: ContentAnswer,
    { name: hash, damage }: WantedFile,
  ): Promise<void> {
    const { contents } = this.#options;
    const { signal } = this.#ended;
    await using staged = await this.#stage(source, answer, hash);
    const name = "root" in staged ? await staged.root() : staged.hash;
    if (name !== hash && isProvenBy(answer, hash))
      throw new WrongContent(`${source.name} sent ${name} for ${hash}`);
    if (name !== hash)
      throw new NetworkError("NETWORK_PEER_FAILED", `the bytes of ${source.name} do not prove ${hash}`);
    // What is stored under the name is not the file; now that the file is here it goes.
    if (damage === "corrupt") await contents.remove(hash);
    await this.#register(await ("root" in staged ? staged.keep(signal) : staged.keep()));
  }

  async #inPieces({ name: hash, damage }: WantedFile): Promise<boolean> {
    const { network, contents, holds } = this.#options;
    await this.#opened;
    const peers = network.streams.peersWith(CONTENT_PROTOCOL).map((name) => ({ name }));
    const peerIds = this.#credit.inOrder(peers).map(({ name }) => name);
    using _hold = await holds.hold(hash);
    const keep: KeepPieces = async (_hash, read) => {
      if (damage === "corrupt") await contents.remove(hash);
      return await keepFile(contents, { read }, "storage", hash);
    };
    const kept = await this.#pieces.fetch(hash, peerIds, keep, this.#ended.signal);
    if (kept !== null) await this.#register(kept);
    return kept !== null;
  }

  async #fromShards({ name: hash, damage }: WantedFile): Promise<boolean> {
    const { contents, holds, shards, note, records, log } = this.#options;
    const { signal } = this.#ended;
    if (shards === null || signal.aborted) return false;
    const isDag = itemTypeOfHash(hash) === "ipfs";
    using _hold = await holds.hold(hash);
    const keep: KeepWhole = async (_hash, read) => {
      if (damage === "corrupt") await contents.remove(hash);
      return isDag
        ? await keepCarBytes(contents, hash, read(), signal)
        : await keepFile(contents, { read }, "storage", hash);
    };
    try {
      const kept = await shards.fetch(hash, keep, signal);
      if (kept === null) return false;
      // What is known of a DAG stays: as blocks it would count otherwise than as the file that it was.
      const isKnown = isDag && damage !== "corrupt" && (await records.keptFile(hash)) !== null;
      if (isKnown) await note({ kind: "recovered", names: [hash] });
      else await this.#register(kept);
      return true;
    } catch (error) {
      if (!signal.aborted && !(error instanceof ApiError) && !(error instanceof BlobError)) throw error;
      if (!signal.aborted) log.warn("A file cannot be made out of its shards", { hash, error });
      return false;
    }
  }

  async #register(kept: KeptFile): Promise<void> {
    const { uploads, clock, gracePeriodMs } = this.#options;
    const graceUntilMicros = clock.nowMicros() + BigInt(gracePeriodMs) * 1_000n;
    await uploads.registerFile({ ...kept, graceUntilMicros });
  }

  async #stage(source: ContentSource, answer: ContentAnswer, hash: string): Promise<StagedFile | StagedCar> {
    const { uploads } = this.#options;
    const { signal } = this.#ended;
    const { clock, timers } = this.#options;
    const moving = { name: source.name, maxBytes: MAX_FILE_BYTES, clock, timers };
    const bytes = whileItMoves(answer.bytes, moving);
    if (answer.form === "car") return await uploads.stageCar(bytes, { signal });
    const engine = itemTypeOfHash(hash) === "ipfs" ? "ipfs" : "storage";
    return await uploads.stageFile(bytes, { engine, signal, expectedHash: hash });
  }
}

/** A peer sent something else than it was asked for. */
class WrongContent extends Error {}

const WRONG_CODES: ReadonlySet<string> = new Set(["BLOB_HASH_MISMATCH", "BLOB_CORRUPT", "BLOB_MALFORMED"]);

/** Bytes of a file do not disprove a CID: it may have been cut differently. A SHA-256, and the root of a CAR, are proof. */
const isProvenBy = ({ form }: ContentAnswer, hash: string): boolean =>
  form === "car" || itemTypeOfHash(hash) !== "ipfs";

function isWrong(error: unknown): boolean {
  return (
    error instanceof WrongContent ||
    error instanceof CarRefusal ||
    (error instanceof BlobError && WRONG_CODES.has(error.code))
  );
}

const newFigures = (): { total: number; failed: number; durationMs: number } => ({
  total: 0,
  failed: 0,
  durationMs: 0,
});
