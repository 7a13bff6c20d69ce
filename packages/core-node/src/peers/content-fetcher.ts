import { type Network, NetworkError } from "@twentysix/network";
import type { Clock, Logger, Random, Timers } from "@twentysix/platform";
import { itemTypeOfHash } from "@twentysix/protocol";
import {
  BlobError,
  type ContentStore,
  type FileNote,
  type FileRecords,
  type WantedFile,
  type WantedPage,
  type WantedTurn,
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
import { BackOff } from "./custody/back-off.ts";
import { type KeepPieces, PiecewiseFetcher } from "./pieces/piecewise-fetcher.ts";
import type { KeepWhole, ShardFetcher } from "./shards/shard-fetcher.ts";
import { apiSource } from "./sources/api-source.ts";
import type { ContentAnswer, ContentSource } from "./sources/content-source.ts";
import { firstFound } from "./sources/first-found.ts";
import { gatewaySource } from "./sources/gateway-source.ts";
import { MemoryRoom } from "./sources/memory-room.ts";
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
/** Files on their way at once: those wanted last, and those whose turn it is. Neither takes the places of the other. */
const MAX_LATEST = 4;
const MAX_IN_TURN = 4;
/** Waiting messages looked at in one turn, and damaged files. */
const MAX_WANTED = 256;
/** Between two looks for pieces that nobody came back for. */
const TIDY_MS = 3_600_000;
/** Who has not begun to answer by then has nothing. */
const ANSWER_MS = 10_000;
/** Largest file that is taken from others. Source: pyaleph `ipfs.max_upload_car_size`. */
export const MAX_FILE_BYTES = 4 * 1024 * 1024 * 1024;
/** Of files in JSON from the APIs of others, which stand in memory until they are stored. */
const MAX_JSON_ROOM_BYTES = 128 * 1024 * 1024;

/** When others wait for a place, who has had one for so long and got less than that a second leaves it. */
const PATIENCE_MS = 60_000;
const LEAST_BYTES_PER_SECOND = 16 * 1024;

/** A file on its way. */
interface Transfer {
  readonly startedMs: number;
  /** That came; null: it is made of shards, each of which has bounds of its own. */
  bytes: number | null;
  readonly signal: AbortSignal;
  giveUp(reason: Error): void;
}

/** Of files that are got at once. */
interface Places {
  readonly max: number;
  readonly taken: Set<string>;
}

/**
 * Gets from other nodes what messages wait for, and what this node should have and has lost. Whatever arrives must have
 * the hash that it was asked by; wrong bytes cost who sent them its credit, and the message nothing.
 */
export class ContentFetcher {
  readonly #options: ContentFetcherOptions;
  readonly #fetching = new Map<string, Promise<boolean>>();
  readonly #backOff: BackOff;
  readonly #transfers = new Map<string, Transfer>();
  readonly #latest: Places = { max: MAX_LATEST, taken: new Set() };
  readonly #inTurn: Places = { max: MAX_IN_TURN, taken: new Set() };
  #turn: WantedTurn = { waiting: 0, damaged: 0 };
  /** They take turns with what is waited for in being first. */
  #isDamagedFirst = false;
  readonly #credit: SourceCredit;
  readonly #jsonRoom = new MemoryRoom(MAX_JSON_ROOM_BYTES);
  readonly #pieces: PiecewiseFetcher;
  readonly #opened: Promise<void>;
  readonly #ended = new AbortController();
  readonly #done: Promise<void>;
  readonly #figures = { storage: newFigures(), ipfs: newFigures() };
  #tidiedMs: number;

  constructor(options: ContentFetcherOptions) {
    this.#options = options;
    this.#credit = options.credit;
    this.#backOff = new BackOff(options.clock, options.random);
    this.#tidiedMs = options.clock.monotonicMs();
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
    this.#backOff.clear();
  }

  async close(): Promise<void> {
    this.#ended.abort();
    await this.#done;
    await Promise.allSettled(this.#fetching.values());
  }

  async #look(): Promise<void> {
    const { records } = this.#options;
    await this.#tidy();
    // Whoever fetches a file by itself waits for it, with everything else that it has to do.
    const isAlone = (name: string): boolean => !this.#latest.taken.has(name) && !this.#inTurn.taken.has(name);
    this.#endSlowest([...this.#transfers.keys()].filter(isAlone));
    if (this.#sources().length === 0) return;
    const { latest, waiting, damaged } = await records.wantedFiles(this.#turn, MAX_WANTED);
    for (const file of latest) if (!this.#begin(file, this.#latest)) break;
    const next = { waiting: 0, damaged: 0 };
    this.#isDamagedFirst = !this.#isDamagedFirst;
    if (this.#isDamagedFirst) next.damaged = this.#takeTurn(damaged);
    next.waiting = this.#takeTurn(waiting);
    if (!this.#isDamagedFirst) next.damaged = this.#takeTurn(damaged);
    this.#turn = next;
  }

  async #tidy(): Promise<void> {
    const { clock } = this.#options;
    if (clock.monotonicMs() - this.#tidiedMs < TIDY_MS) return;
    this.#tidiedMs = clock.monotonicMs();
    await this.#opened;
    await this.#pieces.removeOld(Number(clock.nowMicros() / 1_000n));
  }

  /** Gives where the turn goes on: with the first for which there was no place. */
  #takeTurn({ files, next }: WantedPage): number {
    for (const file of files) if (!this.#begin(file, this.#inTurn)) return file.at - 1;
    return next;
  }

  /** Begins to get a file, if it is time for that. False: there is no place now. */
  #begin(file: WantedFile, places: Places): boolean {
    if (this.#ended.signal.aborted) return false;
    if (!this.#backOff.isDue(file.name) || this.#fetching.has(file.name)) return true;
    if (places.taken.size >= places.max) {
      this.#endSlowest(places.taken);
      return false;
    }
    places.taken.add(file.name);
    this.fetch(file)
      .catch((error: unknown) => {
        this.#backOff.failed(file.name);
        this.#options.log.error("Getting a content from others failed", { hash: file.name, error });
      })
      .finally(() => places.taken.delete(file.name));
    return true;
  }

  /** Whoever sends a little now and then keeps nobody else's file from coming. */
  #endSlowest(names: Iterable<string>): void {
    const nowMs = this.#options.clock.monotonicMs();
    const rateOf = ({ bytes, startedMs }: Transfer): number =>
      bytes === null ? Number.POSITIVE_INFINITY : bytes / ((nowMs - startedMs) / 1_000);
    const [slowest] = [...names]
      .flatMap((name) => this.#transfers.get(name) ?? [])
      .filter((one) => nowMs - one.startedMs >= PATIENCE_MS && rateOf(one) < LEAST_BYTES_PER_SECOND)
      .sort((one, other) => rateOf(one) - rateOf(other));
    slowest?.giveUp(new Error("others wait, and next to nothing comes of the file"));
  }

  /** Gets a file now, whatever was tried before; whoever asks for it meanwhile gets the same answer. */
  fetch(file: WantedFile): Promise<boolean> {
    const running = this.#fetching.get(file.name);
    if (running !== undefined) return running;
    const stop = new AbortController();
    const signal = AbortSignal.any([this.#ended.signal, stop.signal]);
    const startedMs = this.#options.clock.monotonicMs();
    const transfer: Transfer = { startedMs, bytes: 0, signal, giveUp: (reason) => stop.abort(reason) };
    this.#transfers.set(file.name, transfer);
    const fetching = this.#fetch(file, transfer).finally(() => {
      this.#fetching.delete(file.name);
      this.#transfers.delete(file.name);
    });
    this.#fetching.set(file.name, fetching);
    return fetching;
  }

  async #fetch(file: WantedFile, transfer: Transfer): Promise<boolean> {
    const { clock } = this.#options;
    const { name: hash } = file;
    const startedMs = clock.monotonicMs();
    const figures = this.#figures[itemTypeOfHash(hash) === "storage" ? "storage" : "ipfs"];
    figures.total += 1;
    if ((await this.#fromAnyone(file, transfer)) || (await this.#fromShards(file, transfer))) {
      figures.durationMs += clock.monotonicMs() - startedMs;
      this.#backOff.succeeded(hash);
      return true;
    }
    figures.failed += 1;
    this.#backOff.failed(hash);
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
      ...[...new Set(apis)].map((apiUrl) =>
        apiSource({ apiUrl, allowsPrivate, maxBytes: MAX_FILE_BYTES, jsonRoom: this.#jsonRoom }),
      ),
      ...gateways.map((gatewayUrl) => gatewaySource(gatewayUrl, MAX_FILE_BYTES)),
    ];
  }

  /** Who broke off lately is asked once all others have nothing: by answering first he would break off again. */
  async #fromAnyone(file: WantedFile, transfer: Transfer): Promise<boolean> {
    const sources = this.#credit.inOrder(this.#sources());
    const isSteady = ({ name }: ContentSource): boolean => this.#credit.isSteady(name);
    const [steady, others] = [sources.filter(isSteady), sources.filter((one) => !isSteady(one))];
    return (await this.#fromSome(steady, file, transfer)) || (await this.#fromSome(others, file, transfer));
  }

  async #fromSome(all: readonly ContentSource[], file: WantedFile, transfer: Transfer): Promise<boolean> {
    const { timers, log } = this.#options;
    const { signal } = transfer;
    let sources = all;
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
        if (!answer.isWhole) return await this.#inPieces(file, transfer);
        await this.#take(source, answer, file, transfer);
        this.#credit.gave(source.name);
        return true;
      } catch (error) {
        if (signal.aborted) {
          this.#credit.brokeOff(source.name);
          return false;
        }
        if (isWrong(error)) this.#credit.wrong(source.name, file.name);
        else if (error instanceof NetworkError) this.#credit.brokeOff(source.name);
        else if (!(error instanceof ApiError)) {
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
    transfer: Transfer,
  ): Promise<void> {
    const { contents } = this.#options;
    const { signal } = transfer;
    await using staged = await this.#stage(source, answer, hash, transfer);
    const name = "root" in staged ? await staged.root() : staged.hash;
    if (name !== hash && isProvenBy(answer, hash))
      throw new WrongContent(`${source.name} sent ${name} for ${hash}`);
    if (name !== hash)
      throw new NetworkError("NETWORK_PEER_FAILED", `the bytes of ${source.name} do not prove ${hash}`);
    // What is stored under the name is not the file; now that the file is here it goes.
    if (damage === "corrupt") await contents.remove(hash);
    await this.#register(await ("root" in staged ? staged.keep(signal) : staged.keep()));
  }

  async #inPieces({ name: hash, damage }: WantedFile, transfer: Transfer): Promise<boolean> {
    const { network, contents, holds } = this.#options;
    await this.#opened;
    const peers = network.streams.peersWith(CONTENT_PROTOCOL).map((name) => ({ name }));
    const peerIds = this.#credit.inOrder(peers).map(({ name }) => name);
    using _hold = await holds.hold(hash);
    const keep: KeepPieces = async (_hash, read) => {
      if (damage === "corrupt") await contents.remove(hash);
      return await keepFile(contents, { read }, "storage", hash);
    };
    const onBytes = (bytes: number): void => {
      transfer.bytes = (transfer.bytes ?? 0) + bytes;
    };
    const kept = await this.#pieces.fetch(hash, peerIds, keep, transfer.signal, onBytes);
    if (kept !== null) await this.#register(kept);
    return kept !== null;
  }

  async #fromShards({ name: hash, damage }: WantedFile, transfer: Transfer): Promise<boolean> {
    const { contents, holds, shards, note, records, log } = this.#options;
    const { signal } = transfer;
    if (shards === null || signal.aborted) return false;
    transfer.bytes = null;
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

  async #stage(
    source: ContentSource,
    answer: ContentAnswer,
    hash: string,
    transfer: Transfer,
  ): Promise<StagedFile | StagedCar> {
    const { uploads, clock, timers } = this.#options;
    const { signal } = transfer;
    const moving = { name: source.name, maxBytes: MAX_FILE_BYTES, clock, timers };
    const bytes = counted(whileItMoves(answer.bytes, moving), transfer);
    if (answer.form === "car") return await uploads.stageCar(bytes, { signal });
    const engine = itemTypeOfHash(hash) === "ipfs" ? "ipfs" : "storage";
    return await uploads.stageFile(bytes, { engine, signal, expectedHash: hash });
  }
}

async function* counted(
  bytes: AsyncIterable<Uint8Array>,
  transfer: Transfer,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const piece of bytes) {
    transfer.bytes = (transfer.bytes ?? 0) + piece.byteLength;
    yield piece;
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
