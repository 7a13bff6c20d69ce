import { addAbortSignal, type Readable } from "node:stream";
import { createDeferred, isAbortOf, type Timers } from "@twentysix/platform";
import { type Envelope, encodeItemHash, type NetworkDefinition, parseEnvelope } from "@twentysix/protocol";
import { createNodeCrypto } from "@twentysix/protocol/node";
import {
  BlobError,
  type ContentStore,
  type HeldFile,
  openConnection,
  type SqlConnection,
  STATUSES,
  type Status,
} from "@twentysix/storage";
import type { Pipeline } from "../pipeline/pipeline.ts";
import type { CopyResult } from "../pipeline/writer/jobs.ts";
import { type ArchiveLine, readArchiveLine } from "./archive-line.ts";
import { ImportOutOfRoomError } from "./errors.ts";
import { FileIntake, NO_ROOM } from "./file-intake.ts";
import type { FilePart } from "./file-part-line.ts";
import { describeHeld, isHeld, keepContent, storedFileHash } from "./held-content.ts";
import { type ImportReport, ImportTally } from "./import-report.ts";
import { InFlight } from "./in-flight.ts";
import { type NdjsonLine, readNdjsonLines } from "./ndjson-lines.ts";
import { type HeldSkeleton, SkeletonIntake } from "./skeleton-intake.ts";

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
  /** Believe what the file says of forgotten messages beyond what is signed: see docs/data.md. */
  readonly trustForgotten: boolean;
  /** An abort ends the reading; what has been read is finished and reported. */
  readonly signal: AbortSignal;
}

/** A content has less than 100 MiB, and JSON in a JSON text grows by its quotes. */
const MAX_LINE_BYTES = 256 * 1024 * 1024;
/** Enough to keep both threads busy, little enough for the memory. */
const IN_FLIGHT = { maxCount: 4_096, maxBytes: 32 * 1024 * 1024 };
const LINES_PER_LOOK = 512;
/** The clocks of two threads stray from the machine's by up to 2 ms each: what the writer woke may seem to come. */
const CLOCKS_APART_MICROS = 5_000n;
/** The writer looks at its queue at least this often. */
const SETTLE_LOOK_MS = 5_000;

/**
 * Takes messages from NDJSON through the same door as every other source: each is verified. A content that travels
 * along is held against its hash and stored before its message is submitted, and so is a file; a file of a STORE that
 * lies in the content store already is taken into the records. What is left of forgotten messages is judged with the
 * FORGET that follows, when the file is trusted. A line that is no message is told and passed over. An import that is
 * interrupted may be started again from any earlier line; what is known is passed over.
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
  readonly #connection: SqlConnection;
  readonly #inFlight = new InFlight(IN_FLIGHT);
  readonly #tally = new ImportTally();
  readonly #files: FileIntake;
  readonly #skeletons: SkeletonIntake;
  /** The last entry of the event log before the first line. */
  readonly #startSeq: number;
  #failure: unknown = null;

  constructor(services: ImportServices, options: ImportOptions) {
    const { contents, databasePath } = services;
    const { switches } = services.definition;
    this.#services = services;
    this.#options = options;
    this.#connection = openConnection(databasePath, { readOnly: true, purpose: "import" });
    this.#startSeq =
      this.#connection.get<{ seq: number | null }>("SELECT max(seq) AS seq FROM events")?.seq ?? 0;
    this.#files = new FileIntake(
      contents,
      async (name) => this.#isRegistered(name) && (await isHeld(contents, name, options.signal)),
    );
    this.#skeletons = new SkeletonIntake({
      crypto: createNodeCrypto(),
      switches,
      isTrusted: options.trustForgotten,
      statusOf: (itemHash) => this.#statusOf(itemHash),
    });
  }

  async read(): Promise<void> {
    const { source, skipLines, signal } = this.#options;
    try {
      for await (const line of readNdjsonLines(addAbortSignal(signal, source), MAX_LINE_BYTES)) {
        if (signal.aborted || this.#failure !== null) break;
        if (line.number > skipLines) await this.#take(line);
        // What belongs to a later line is read again with it.
        if (!this.#files.isOpen && !this.#skeletons.isHolding) this.#tally.lines = line.number;
      }
    } catch (error) {
      if (!isAbortOf(signal, error) && !signal.aborted) throw error;
    } finally {
      const cutOff = await this.#files.abandon();
      await this.#inFlight.drained();
      if (!signal.aborted) this.#tellLeftOver(cutOff);
    }
    if (this.#failure !== null) throw this.#failure;
    this.#tally.isInterrupted = signal.aborted;
  }

  /** Waits until nothing is due any more: what waited for a message of the file has had its turn. */
  async settle(): Promise<void> {
    const { pipeline, timers, clock } = this.#services;
    const { signal } = this.#options;
    while (!signal.aborted) {
      const committed = createDeferred<void>();
      const stop = pipeline.onCommit(() => committed.resolve());
      const nowMicros = clock.nowMicros() + CLOCKS_APART_MICROS;
      const isDue = this.#count("candidates", "next_attempt_us <= ?", nowMicros) > 0;
      const cancel = timers.schedule(SETTLE_LOOK_MS, () => committed.resolve());
      if (isDue) await committed.promise;
      cancel();
      stop();
      if (!isDue) return;
    }
    this.#tally.isInterrupted = true;
  }

  report(): ImportReport {
    return this.#tally.report({
      // What was committed last may not have been told yet.
      processed: this.#count("events", "kind = 2 AND seq > ?", BigInt(this.#startSeq)),
      pending: this.#count("items", "status = ?", 0n),
      forgotten: this.#skeletons.taken,
      forgottenPassedOver: this.#skeletons.passedOver,
    });
  }

  close(): void {
    this.#connection.close();
  }

  #count(table: "candidates" | "events" | "items", condition: string, value: bigint): number {
    const row = this.#connection.get<{ n: number }>(
      `SELECT count(*) AS n FROM ${table} WHERE ${condition}`,
      value,
    );
    return row?.n ?? 0;
  }

  /** Files are stored one after the other, so that messages are submitted in the order of the lines. */
  async #take(line: NdjsonLine): Promise<void> {
    if (line.number % LINES_PER_LOOK === 0 && !this.#services.hasRoom()) {
      throw new ImportOutOfRoomError(this.#tally.lines);
    }
    if (line.text === null) return this.#tally.refuse(line.number, null, line.reason);
    if (line.text.trim() === "") return;
    const read = readArchiveLine(line.text);
    if (this.#files.isOpen && (read.kind !== "file" || read.part.part === 0)) {
      this.#tellCutOff(await this.#files.abandon(), line.number);
    }
    switch (read.kind) {
      case "malformed":
        return this.#tally.refuse(line.number, null, read.reason);
      case "file":
        return await this.#takePart(line.number, read.part);
      case "skeleton": {
        const reason = this.#skeletons.take(read.skeleton, line.number);
        return reason === null ? undefined : this.#tally.refuse(line.number, read.skeleton.hash, reason);
      }
      case "message":
        return await this.#takeMessage(line.number, line.sizeBytes, read, line.text);
    }
  }

  async #takePart(line: number, part: FilePart): Promise<void> {
    const outcome = await this.#files.take(part).catch(this.#outOfRoom);
    if (outcome.kind === "refused") this.#tally.refuse(line, null, outcome.reason);
    if (outcome.kind !== "stored") return;
    await this.#register(outcome.file);
    this.#tally.files += 1;
  }

  async #takeMessage(
    line: number,
    sizeBytes: number,
    read: Extract<ArchiveLine, { kind: "message" }>,
    text: string,
  ): Promise<void> {
    const envelopeText = await this.#storeFiles(line, read, text);
    const isForget = this.#skeletons.isHolding && envelopeText.includes('"FORGET"');
    const skeletons = isForget ? this.#skeletons.release() : [];
    await this.#inFlight.start(sizeBytes, () => this.#submit(line, envelopeText, skeletons));
  }

  async #submit(line: number, envelopeText: string, held: readonly HeldSkeleton[]): Promise<void> {
    const skeletons = held.map(({ hash, message }) => ({ hash, message }));
    try {
      const along = skeletons.length === 0 ? {} : { skeletons };
      this.#tell(line, await this.#services.pipeline.submit(envelopeText, { origin: "import", ...along }));
      for (const { line: at, hash } of this.#skeletons.unhidden(held)) {
        this.#tally.refuse(at, hash, "the FORGET that follows it does not hide it here");
      }
    } catch (error) {
      this.#failure ??= error;
    }
  }

  #tell(line: number, result: CopyResult): void {
    if (result.status === "rejected") {
      const details = result.details === undefined ? "" : `: ${JSON.stringify(result.details)}`;
      this.#tally.refuse(line, result.itemHash, `${result.errorText ?? "rejected"}${details}`);
    } else if (result.status !== "pending" && result.known) this.#tally.alreadyKnown += 1;
  }

  #tellLeftOver(cutOff: string | null): void {
    this.#tellCutOff(cutOff, this.#tally.lines + 1);
    for (const { line, hash } of this.#skeletons.release()) {
      this.#tally.refuse(line, hash, "no FORGET follows what is left of this message");
    }
  }

  #tellCutOff(fileHash: string | null, line: number): void {
    if (fileHash !== null) this.#tally.refuse(line, null, `file ${fileHash} is cut off`);
  }

  /**
   * Stores the content that travels along, or takes note of a file that is here without a record of it. Returns the
   * text of the envelope: an inline message carries no content, so whatever stands under that key is its sender's.
   */
  async #storeFiles(
    line: number,
    { envelopeText, content }: Extract<ArchiveLine, { kind: "message" }>,
    text: string,
  ): Promise<string> {
    if (content === null && !envelopeText.includes('"STORE"')) return envelopeText;
    // Only what the envelope names is looked at: the pipeline judges it.
    const { switches, limits } = this.#services.definition;
    const maxItemContentCharacters = limits.itemContentCharacters;
    const read = parseEnvelope(envelopeText, { trusted: true, switches, maxItemContentCharacters });
    if (!read.ok) return envelopeText;
    const { envelope } = read;
    if (envelope.itemType !== "inline") {
      if (content !== null) await this.#storeContent(line, envelope, content);
      return envelopeText;
    }
    if (envelope.type === "STORE") await this.#adoptFile(envelope.itemContent ?? "");
    return content === null ? envelopeText : text;
  }

  async #storeContent(line: number, { itemType, itemHash }: Envelope, content: string): Promise<void> {
    if (itemType === "inline" || this.#isRegistered(itemHash)) return;
    const file = await keepContent(this.#services.contents, itemType, itemHash, content).catch(
      this.#outOfRoom,
    );
    if (file === null) this.#tally.refuse(line, itemHash, "the content that comes with it has not this hash");
    else await this.#register(file);
  }

  readonly #outOfRoom = (error: unknown): never => {
    throw error instanceof BlobError && NO_ROOM.has(error.code)
      ? new ImportOutOfRoomError(this.#tally.lines)
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

  #statusOf(itemHash: string): Status | null {
    const query = "SELECT status FROM items WHERE hash = ?";
    const row = this.#connection.get<{ status: number }>(query, encodeItemHash(itemHash));
    return row === undefined ? null : (STATUSES[row.status] ?? null);
  }
}
