import { once } from "node:events";
import type { Writable } from "node:stream";
import { encodeItemHash } from "@twentysix/protocol";
import { SqliteConnection } from "@twentysix/storage";
import { createBlobContents } from "../pipeline/writer/blob-contents.ts";
import type { ContentSource } from "../pipeline/writer/resolve-content.ts";
import { ExportPositionError } from "./errors.ts";
import { writeExchangeLine } from "./exchange-line.ts";
import { messagesInProcessingOrder, type StoredMessage } from "./stored-messages.ts";

export interface ExportOptions {
  readonly databasePath: string;
  /** Folder of the files by SHA-256. */
  readonly blobsPath: string;
  readonly destination: Writable;
  /** Item hash of the last message that the destination already has. */
  readonly after?: string;
  readonly signal: AbortSignal;
}

export interface ExportReport {
  readonly messages: number;
  /** To go on from later; null when nothing was exported. */
  readonly lastItemHash: string | null;
  /** Messages whose content is not inline and not here any more: they went without it. */
  readonly contentsMissing: number;
}

/** Text that is written in one go. */
const CHUNK_CHARACTERS = 1024 * 1024;

/**
 * Writes every stored copy of every live message, one envelope a line, in the order in which the messages were
 * processed, so that nothing stands before what it needs. Contents that are not inline travel along, see
 * `exchange-line.ts`; files of STORE messages and what was forgotten do not. Reads in short chunks, so that a
 * node may go on working meanwhile.
 *
 * @throws ExportPositionError; the signal's reason
 */
export async function exportMessages(options: ExportOptions): Promise<ExportReport> {
  const { destination, signal } = options;
  const connection = new SqliteConnection(options.databasePath, { readOnly: true });
  // What was accepted was small enough.
  const contents = createBlobContents(connection, options.blobsPath, {
    storedContentBytes: Number.POSITIVE_INFINITY,
  });
  const report = { messages: 0, lastItemHash: null as string | null, contentsMissing: 0 };
  let text = "";
  try {
    const after = options.after === undefined ? 0 : positionOf(connection, options.after);
    for (const messages of messagesInProcessingOrder(connection, after)) {
      for (const message of messages) {
        signal.throwIfAborted();
        const content = await contentOf(message, contents);
        if (content === undefined) report.contentsMissing += 1;
        text += linesOf(message, content ?? null);
        report.messages += 1;
        report.lastItemHash = message.hash;
        if (text.length < CHUNK_CHARACTERS) continue;
        await write(destination, text, signal);
        text = "";
      }
    }
    await write(destination, text, signal);
    return report;
  } finally {
    connection.close();
  }
}

/** Where a message stands in the log: when it was processed last. */
function positionOf(connection: SqliteConnection, itemHash: string): number {
  const row = connection.get<{ seq: number | null }>(
    "SELECT max(e.seq) AS seq FROM items i JOIN events e ON e.item_id = i.id WHERE i.hash = ? AND e.kind = 2",
    encodeItemHash(itemHash),
  );
  if (row === undefined || row.seq === null) throw new ExportPositionError(itemHash);
  return row.seq;
}

/** The content as it was uploaded; null for an inline one, undefined when it is gone. */
async function contentOf(
  { hash, copies }: StoredMessage,
  contents: ContentSource,
): Promise<string | null | undefined> {
  if (copies.every((copy) => copy.content === null)) return null;
  return (await contents.read(hash)) ?? undefined;
}

/** Of several copies the first one carries the content. */
function linesOf({ copies }: StoredMessage, content: string | null): string {
  return copies
    .map((copy, index) => `${writeExchangeLine(copy.envelope, index === 0 ? content : null)}\n`)
    .join("");
}

async function write(destination: Writable, text: string, signal: AbortSignal): Promise<void> {
  if (text !== "" && !destination.write(text)) await once(destination, "drain", { signal });
}
