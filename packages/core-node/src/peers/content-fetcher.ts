import { NetworkError, type PeerStreams } from "@twentysix/network";
import { type Clock, type Logger, type Random, shuffled, type Timers } from "@twentysix/platform";
import { itemTypeOfHash } from "@twentysix/protocol";
import { BlobError, type ContentStore, type FileRecords, type WantedFile } from "@twentysix/storage";
import { ApiError } from "../api/errors.ts";
import type { NodeStatus, UploadServices } from "../api/services.ts";
import { askForContent, CONTENT_PROTOCOL } from "./content-protocol.ts";

export interface ContentFetcherOptions {
  readonly streams: PeerStreams;
  readonly records: Pick<FileRecords, "wantedFiles">;
  readonly uploads: Pick<UploadServices, "stageFile" | "stageCar" | "registerFile">;
  readonly contents: Pick<ContentStore, "remove">;
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
/** A peer that sends nothing for so long is given up. */
const STALL_MS = 15_000;
const MAX_PAUSE_MS = 600_000;
/** A peer that sent wrong bytes is asked for nothing for so long. */
const DISTRUST_MS = 600_000;

interface Attempts {
  readonly failures: number;
  readonly nextMs: number;
}

/**
 * Gets from peers what messages wait for, and what this node should have and has lost. Whatever arrives must have the hash that it was asked by; wrong bytes cost the
 * peer its credit and the message nothing.
 */
export class ContentFetcher {
  readonly #options: ContentFetcherOptions;
  readonly #fetching = new Map<string, Promise<boolean>>();
  readonly #attempts = new Map<string, Attempts>();
  readonly #distrusted = new Map<string, number>();
  readonly #ended = new AbortController();
  readonly #done: Promise<void>;
  readonly #figures = { storage: newFigures(), ipfs: newFigures() };

  constructor(options: ContentFetcherOptions) {
    this.#options = options;
    this.#done = options.timers.every(PERIOD_MS, () => this.#look(), {
      signal: this.#ended.signal,
      onError: (error) => options.log.error("Looking for missing contents failed", { error }),
    });
  }

  figures(): NodeStatus["storeFetch"] {
    return { storage: { ...this.#figures.storage }, ipfs: { ...this.#figures.ipfs } };
  }

  /** There is somebody new to ask. */
  peerCame(): void {
    this.#attempts.clear();
  }

  async close(): Promise<void> {
    this.#ended.abort();
    await this.#done;
  }

  async #look(): Promise<void> {
    const { streams, records, clock } = this.#options;
    if (streams.peersWith(CONTENT_PROTOCOL).length === 0) return;
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
    if (await this.#fromAnyone(file)) {
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

  async #fromAnyone(file: WantedFile): Promise<boolean> {
    const { name: hash } = file;
    const { streams, random, clock, log } = this.#options;
    for (const peerId of shuffled(random, streams.peersWith(CONTENT_PROTOCOL))) {
      if (this.#ended.signal.aborted) return false;
      if ((this.#distrusted.get(peerId) ?? 0) > clock.monotonicMs()) continue;
      try {
        if (await this.#from(peerId, file)) return true;
      } catch (error) {
        if (this.#ended.signal.aborted) return false;
        if (isWrong(error)) this.#distrusted.set(peerId, clock.monotonicMs() + DISTRUST_MS);
        else if (!(error instanceof NetworkError || error instanceof ApiError)) {
          log.error("Content from a peer could not be kept", { hash, peerId, error });
          return false;
        }
        log.debug("A peer did not give what it was asked for", { hash, peerId, error });
      }
    }
    return false;
  }

  async #from(peerId: string, { name: hash, damage }: WantedFile): Promise<boolean> {
    const { streams, uploads, contents, clock, gracePeriodMs } = this.#options;
    const { signal } = this.#ended;
    const answer = await askForContent(streams, peerId, { hash, offset: 0 }, signal);
    try {
      if (answer.head.state !== "found") return false;
      const bytes = this.#whileItMoves(answer.bytes, peerId);
      await using staged =
        answer.head.form === "car"
          ? await uploads.stageCar(bytes, { signal })
          : await uploads.stageFile(bytes, { engine: "storage", signal });
      const name = "root" in staged ? await staged.root() : staged.hash;
      if (name !== hash) throw new WrongContent(`peer ${peerId} sent ${name} for ${hash}`);
      // What is stored under the name is not the file; now that the file is here it goes.
      if (damage === "corrupt") await contents.remove(hash);
      const kept = await ("root" in staged ? staged.keep(signal) : staged.keep());
      const graceUntilMicros = clock.nowMicros() + BigInt(gracePeriodMs) * 1_000n;
      await uploads.registerFile({ ...kept, graceUntilMicros });
      return true;
    } finally {
      answer.end();
    }
  }

  async *#whileItMoves(
    bytes: AsyncIterable<Uint8Array>,
    peerId: string,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const { timers } = this.#options;
    const pieces = bytes[Symbol.asyncIterator]();
    for (;;) {
      const next = await timers
        .withTimeout(STALL_MS, () => pieces.next())
        .catch((cause: unknown) => {
          throw new NetworkError("NETWORK_PEER_FAILED", `peer ${peerId} sends nothing any more`, { cause });
        });
      if (next.done === true) return;
      yield next.value;
    }
  }
}

/** A peer sent something else than it was asked for. */
class WrongContent extends Error {}

const WRONG_CODES: ReadonlySet<string> = new Set(["BLOB_HASH_MISMATCH", "BLOB_CORRUPT", "BLOB_MALFORMED"]);

function isWrong(error: unknown): boolean {
  return error instanceof WrongContent || (error instanceof BlobError && WRONG_CODES.has(error.code));
}

const newFigures = (): { total: number; failed: number; durationMs: number } => ({
  total: 0,
  failed: 0,
  durationMs: 0,
});
