import type { Writable } from "node:stream";
import type { Timers } from "@twentysix/platform";
import { encodeItemHash } from "@twentysix/protocol";
import { type BlobEngine, ContentReader, openConnection, type SqlConnection } from "@twentysix/storage";
import { readBlobsFrom } from "../content/read-blob.ts";
import { createBlobContents } from "../pipeline/writer/blob-contents.ts";
import type { ContentSource } from "../pipeline/writer/resolve-content.ts";
import { ExportPositionError } from "./errors.ts";
import { writeExchangeLine } from "./exchange-line.ts";
import { FileExport } from "./export-files.ts";
import { ForgottenExport } from "./export-forgotten.ts";
import { LineSink } from "./line-sink.ts";
import {
  messagesInProcessingOrder,
  type ProcessedMessage,
  type StoredMessage,
  storedMessage,
} from "./stored-messages.ts";
import { WHOLE_TABLE_TIMEOUT_MS } from "./whole-tables.ts";

export interface ExportOptions {
  readonly databasePath: string;
  /** Folder of the content store. */
  readonly contentsFolder: string;
  /** What keeps the files; plain files in that folder by default. */
  readonly engine?: BlobEngine;
  readonly destination: Writable;
  /** Item hash of the last message that the destination already has. */
  readonly after?: string;
  /** The files that messages name travel along. */
  readonly withFiles: boolean;
  readonly timers: Timers;
  readonly signal: AbortSignal;
}

export interface ExportReport {
  readonly messages: number;
  /** To go on from later; null when nothing was exported. */
  readonly lastItemHash: string | null;
  /** Messages whose content is not inline and not here any more: they went without it. */
  readonly contentsMissing: number;
  /** Forgotten messages that went, with their texts where those are retained, else as skeletons. */
  readonly forgotten: number;
  readonly files: number;
  /** Files that messages name and that are not here, or damaged. */
  readonly filesMissing: number;
}

/**
 * Writes every stored copy of every live message, one envelope a line, in the order in which the messages were
 * processed, so that nothing stands before what it needs. Ahead of a message goes what it rests on: the file of a
 * STORE, in parts (`file-part-line.ts`); what is left of the messages that a FORGET hides (`skeleton-line.ts`). A
 * content that is not inline travels in the line of its message (`exchange-line.ts`). Reads in short chunks, so that
 * a node may go on working meanwhile.
 *
 * @throws ExportPositionError; the signal's reason
 */
export async function exportMessages(options: ExportOptions): Promise<ExportReport> {
  const connection = openConnection(options.databasePath, {
    readOnly: true,
    purpose: "export",
    statementTimeoutMs: WHOLE_TABLE_TIMEOUT_MS,
  });
  try {
    const { contentsFolder: folder, timers, engine } = options;
    const place = { folder, timers, ...(engine === undefined ? {} : { engine }) };
    await using contents = await ContentReader.open(place);
    return await new ExportRun(options, connection, contents).run();
  } finally {
    connection.close();
  }
}

class ExportRun {
  readonly #options: ExportOptions;
  readonly #connection: SqlConnection;
  readonly #contents: ContentSource;
  readonly #sink: LineSink;
  readonly #files: FileExport | null;
  readonly #forgotten: ForgottenExport;
  readonly #afterSeq: number;
  #messages = 0;
  #contentsMissing = 0;
  #lastItemHash: string | null = null;

  constructor(options: ExportOptions, connection: SqlConnection, contents: ContentReader) {
    const { destination, signal, after } = options;
    this.#options = options;
    this.#connection = connection;
    // What was accepted was small enough.
    const limits = { storedContentBytes: Number.POSITIVE_INFINITY };
    this.#contents = createBlobContents(connection, readBlobsFrom(contents.files), limits);
    this.#sink = new LineSink(destination, signal);
    this.#afterSeq = after === undefined ? 0 : positionOf(connection, after);
    const shared = { connection, contents, sink: this.#sink, afterSeq: this.#afterSeq, signal };
    this.#files = options.withFiles ? new FileExport(shared) : null;
    this.#forgotten = new ForgottenExport({ ...shared, files: this.#files });
  }

  async run(): Promise<ExportReport> {
    await this.#forgotten.sendLate((forgetId) => this.#writeAgain(forgetId));
    for (const messages of messagesInProcessingOrder(this.#connection, this.#afterSeq)) {
      for (const message of messages) {
        this.#options.signal.throwIfAborted();
        await this.#writeGrounds(message);
        await this.#writeCopies(message);
        this.#messages += 1;
        this.#lastItemHash = message.hash;
      }
    }
    await this.#sink.flush();
    return {
      messages: this.#messages,
      lastItemHash: this.#lastItemHash,
      contentsMissing: this.#contentsMissing,
      forgotten: this.#forgotten.sent,
      files: this.#files?.sent ?? 0,
      filesMissing: this.#files?.missing ?? 0,
    };
  }

  async #writeGrounds(message: ProcessedMessage): Promise<void> {
    if (message.type === "STORE" && message.fileHash !== null)
      await this.#files?.sendStored(message.fileHash);
    if (message.type === "FORGET") await this.#forgotten.sendTargets(message);
  }

  async #writeAgain(id: number): Promise<void> {
    const message = storedMessage(this.#connection, id);
    if (message !== null) await this.#writeCopies(message);
  }

  /** Of several copies the first one carries the content. */
  async #writeCopies(message: StoredMessage): Promise<void> {
    let content = await this.#contentOf(message);
    for (const { envelope } of message.copies) {
      await this.#sink.write(writeExchangeLine(envelope, content));
      content = null;
    }
  }

  /** The content as it was uploaded; null for an inline one and for one that is gone. */
  async #contentOf({ hash, copies }: StoredMessage): Promise<string | null> {
    if (copies.every((copy) => copy.content === null)) return null;
    const text = await this.#contents.read(hash);
    if (text === null) this.#contentsMissing += 1;
    return text;
  }
}

/** Where a message stands in the log: when it was processed last. */
function positionOf(connection: SqlConnection, itemHash: string): number {
  const row = connection.get<{ seq: number | null }>(
    "SELECT max(e.seq) AS seq FROM items i JOIN events e ON e.item_id = i.id WHERE i.hash = ? AND e.kind = 2",
    encodeItemHash(itemHash),
  );
  if (row === undefined || row.seq === null) throw new ExportPositionError(itemHash);
  return row.seq;
}
