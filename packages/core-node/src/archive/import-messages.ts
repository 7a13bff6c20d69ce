import { addAbortSignal, type Readable } from "node:stream";
import { createDeferred, isAbortOf, type Timers } from "@twentysix/platform";
import { type Envelope, encodeItemHash, type NetworkDefinition, parseEnvelope } from "@twentysix/protocol";
import { BlobError, type ContentStore, type HeldFile, SqliteConnection } from "@twentysix/storage";
import type { Pipeline } from "../pipeline/pipeline.ts";
import type { CopyResult } from "../pipeline/writer/jobs.ts";
import { ImportOutOfRoomError } from "./errors.ts";
import { type ExchangeLine, readExchangeLine } from "./exchange-line.ts";
import { describeHeld, keepContent, storedFileHash } from "./held-content.ts";
import { InFlight } from "./in-flight.ts";
import { type NdjsonLine, readNdjsonLines } from "./ndjson-lines.ts";

export interface ImportServices {
  readonly pipeline: Pipeline;
  readonly contents: ContentStore;
  readonly databasePath: string;
  readonly definition: Pick<NetworkDefinition, "switches" | "limits">;
  readonly timers: Timers;
  readonly clock: { nowMicros(): bigint };
  /** How long a content is kept whose message is not accepted. */
  readonly gracePeriodMicros: bigint;
  /** False once the data folder has used up its budget. */
  readonly hasRoom: () => boolean;
}

export interface ImportOptions {
  readonly source: Readable;
  /** Lines to pass over at the start: those of an earlier, interrupted import. */
  readonly skipLines: number;
  /** An abort ends the reading; what has been read is finished and reported. */
  readonly signal: AbortSignal;
}

export interface ImportProblem {
  /** Counted from 1. */
  readonly line: number;
  readonly itemHash: string | null;
  readonly reason: string;
}

export interface ImportReport {
  /** Lines that are done, those passed over included: where an interrupted import may go on. */
  readonly lines: number;
  /** Messages that were accepted, those included that had waited for one of this file. */
  readonly processed: number;
  readonly alreadyKnown: number;
  /** Copies that were refused, lines that are none included. */
  readonly rejected: number;
  /** Messages of the data folder that wait at the end, for a file or another message. */
  readonly pending: number;
  readonly interrupted: boolean;
  /** The first of what was refused. */
  readonly problems: readonly ImportProblem[];
}

/** A content has less than 100 MiB, and JSON in a JSON text grows by its quotes. */
const MAX_LINE_BYTES = 256 * 1024 * 1024;
/** Enough to keep both threads busy, little enough for the memory. */
const IN_FLIGHT = { maxCount: 4_096, maxBytes: 32 * 1024 * 1024 };
const MAX_PROBLEMS = 100;
const LINES_PER_LOOK = 512;
const NO_ROOM: ReadonlySet<string> = new Set(["BLOB_DISK_BUDGET_EXCEEDED", "BLOB_FREE_SPACE_LOW"]);
/** The writer looks at its queue at least this often. */
const SETTLE_LOOK_MS = 5_000;

/**
 * Takes messages from NDJSON through the same door as every other source: each is verified. A content that travels
 * along is held against its hash and stored before its message is submitted. A file of a STORE that lies in the
 * content store already is taken into the records. A line that is no message is told and passed over. An import
 * that is interrupted may be started again from any earlier line; what is known is passed over.
 *
 * @throws ImportOutOfRoomError, PipelineError
 */
export async function importMessages(
  services: ImportServices,
  options: ImportOptions,
): Promise<ImportReport> {
  const run = new ImportRun(services, options);
  try {
    await run.read();
    await run.settle();
    return run.report();
  } finally {
    run.close();
  }
}

class ImportRun {
  readonly #services: ImportServices;
  readonly #options: ImportOptions;
  readonly #connection: SqliteConnection;
  readonly #inFlight = new InFlight(IN_FLIGHT);
  readonly #problems: ImportProblem[] = [];
  #lines = 0;
  #alreadyKnown = 0;
  #rejected = 0;
  #interrupted = false;
  #failure: unknown = null;

  constructor(services: ImportServices, options: ImportOptions) {
    this.#services = services;
    this.#options = options;
    this.#connection = new SqliteConnection(services.databasePath, { readOnly: true });
  }

  async read(): Promise<void> {
    const { source, skipLines, signal } = this.#options;
    try {
      for await (const line of readNdjsonLines(addAbortSignal(signal, source), MAX_LINE_BYTES)) {
        if (signal.aborted || this.#failure !== null) break;
        if (line.number > skipLines) await this.#take(line);
        this.#lines = line.number;
      }
    } catch (error) {
      if (!isAbortOf(signal, error) && !signal.aborted) throw error;
    } finally {
      await this.#inFlight.drained();
    }
    if (this.#failure !== null) throw this.#failure;
    this.#interrupted = signal.aborted;
  }

  /** Waits until nothing is due any more: what waited for a message of the file has had its turn. */
  async settle(): Promise<void> {
    const { pipeline, timers, clock } = this.#services;
    const { signal } = this.#options;
    while (!signal.aborted) {
      const committed = createDeferred<void>();
      const stop = pipeline.onCommit(() => committed.resolve());
      const isDue = this.#count("candidates", "next_attempt_us <= ?", clock.nowMicros()) > 0;
      const cancel = timers.schedule(SETTLE_LOOK_MS, () => committed.resolve());
      if (isDue) await committed.promise;
      cancel();
      stop();
      if (!isDue) return;
    }
    this.#interrupted = true;
  }

  report(): ImportReport {
    return {
      lines: this.#lines,
      processed: this.#services.pipeline.statistics().processedTotal,
      alreadyKnown: this.#alreadyKnown,
      rejected: this.#rejected,
      pending: this.#count("items", "status = ?", 0n),
      interrupted: this.#interrupted,
      problems: this.#problems.toSorted((a, b) => a.line - b.line),
    };
  }

  close(): void {
    this.#connection.close();
  }

  #count(table: "candidates" | "items", condition: string, value: bigint): number {
    const row = this.#connection.get<{ n: number }>(
      `SELECT count(*) AS n FROM ${table} WHERE ${condition}`,
      value,
    );
    return row?.n ?? 0;
  }

  /** Files are stored one after the other, so that messages are submitted in the order of the lines. */
  async #take(line: NdjsonLine): Promise<void> {
    if (line.number % LINES_PER_LOOK === 0 && !this.#services.hasRoom()) {
      throw new ImportOutOfRoomError(this.#lines);
    }
    if (line.text === null) return this.#refuse(line.number, null, line.reason);
    if (line.text.trim() === "") return;
    const read = readExchangeLine(line.text);
    if (!read.ok) return this.#refuse(line.number, null, read.reason);
    await this.#storeFiles(line.number, read);
    await this.#inFlight.start(line.sizeBytes, () => this.#submit(line.number, read.envelopeText));
  }

  async #submit(line: number, envelopeText: string): Promise<void> {
    try {
      this.#tally(line, await this.#services.pipeline.submit(envelopeText, { origin: "import" }));
    } catch (error) {
      this.#failure ??= error;
    }
  }

  #tally(line: number, result: CopyResult): void {
    if (result.status === "rejected") {
      const details = result.details === undefined ? "" : `: ${JSON.stringify(result.details)}`;
      this.#refuse(line, result.itemHash, `${result.errorText ?? "rejected"}${details}`);
    } else if (result.status !== "pending" && result.known) this.#alreadyKnown += 1;
  }

  #refuse(line: number, itemHash: string | null, reason: string): void {
    this.#rejected += 1;
    if (this.#problems.length < MAX_PROBLEMS) this.#problems.push({ line, itemHash, reason });
  }

  /** Stores the content that travels along, or takes note of a file that is here without a record of it. */
  async #storeFiles(
    line: number,
    { envelopeText, content }: Extract<ExchangeLine, { ok: true }>,
  ): Promise<void> {
    if (content === null && !envelopeText.includes('"STORE"')) return;
    // Only what the envelope names is looked at: the pipeline judges it.
    const { switches, limits } = this.#services.definition;
    const maxItemContentCharacters = limits.itemContentCharacters;
    const read = parseEnvelope(envelopeText, { trusted: true, switches, maxItemContentCharacters });
    if (!read.ok) return;
    if (content !== null) await this.#storeContent(line, read.envelope, content);
    else if (read.envelope.itemType === "inline") await this.#adoptFile(read.envelope.itemContent ?? "");
  }

  async #storeContent(line: number, { itemType, itemHash }: Envelope, content: string): Promise<void> {
    if (itemType === "inline" || this.#isRegistered(itemHash)) return;
    const file = await keepContent(this.#services.contents, itemType, itemHash, content).catch(
      this.#outOfRoom,
    );
    if (file === null) this.#refuse(line, itemHash, "the content that comes with it has not this hash");
    else await this.#register(file);
  }

  readonly #outOfRoom = (error: unknown): never => {
    throw error instanceof BlobError && NO_ROOM.has(error.code)
      ? new ImportOutOfRoomError(this.#lines)
      : error;
  };

  async #adoptFile(itemContent: string): Promise<void> {
    const fileHash = storedFileHash(itemContent);
    if (fileHash === null || this.#isRegistered(fileHash)) return;
    const file = await describeHeld(this.#services.contents, fileHash, this.#options.signal);
    if (file !== null) await this.#register(file);
  }

  async #register(file: HeldFile): Promise<void> {
    const { pipeline, clock, gracePeriodMicros } = this.#services;
    await pipeline.registerFile(file, clock.nowMicros() + gracePeriodMicros);
  }

  #isRegistered(fileHash: string): boolean {
    return this.#connection.get("SELECT 1 FROM files WHERE hash = ?", encodeItemHash(fileHash)) !== undefined;
  }
}
