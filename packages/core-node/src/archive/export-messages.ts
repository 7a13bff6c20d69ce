import { once } from "node:events";
import type { Writable } from "node:stream";
import { decodeItemHash, encodeItemHash } from "@twentysix/protocol";
import { SqliteConnection } from "@twentysix/storage";

export interface ExportOptions {
  readonly destination: Writable;
  /** Item hash of the last message that the destination already has. */
  readonly after?: string;
  readonly signal: AbortSignal;
}

export interface ExportReport {
  readonly messages: number;
  readonly lastItemHash: string | null;
}

/** The message to go on after is not in this data folder. */
export class ExportPositionError extends Error {
  readonly code = "EXPORT_POSITION_UNKNOWN";

  constructor(itemHash: string) {
    super(`${itemHash} is not stored here: give the last message of an export of this very data folder`);
  }
}

const CHUNK = 500;

/**
 * Writes every stored copy of every live message, one envelope a line, in the order in which the node met the
 * messages. Reads in short chunks, so that a node may go on working meanwhile.
 */
export async function exportMessages(databasePath: string, options: ExportOptions): Promise<ExportReport> {
  const connection = new SqliteConnection(databasePath, { readOnly: true });
  try {
    let position = options.after === undefined ? 0 : positionOf(connection, options.after);
    let messages = 0;
    let lastItemHash: string | null = null;
    for (;;) {
      options.signal.throwIfAborted();
      const ids = connection.all<{ id: number; hash: Uint8Array }>(
        "SELECT m.id, i.hash FROM messages m JOIN items i ON i.id = m.id WHERE m.id > ? ORDER BY m.id LIMIT ?",
        position,
        CHUNK,
      );
      const last = ids.at(-1);
      if (last === undefined) return { messages, lastItemHash };
      await write(options.destination, linesOf(connection, position, last.id), options.signal);
      messages += ids.length;
      position = last.id;
      lastItemHash = decodeItemHash(last.hash);
    }
  } finally {
    connection.close();
  }
}

function positionOf(connection: SqliteConnection, itemHash: string): number {
  const row = connection.get<{ id: number }>("SELECT id FROM items WHERE hash = ?", encodeItemHash(itemHash));
  if (row === undefined) throw new ExportPositionError(itemHash);
  return row.id;
}

function linesOf(connection: SqliteConnection, after: number, upTo: number): string {
  const rows = connection.all<{ envelope: string }>(
    "SELECT c.envelope FROM messages m JOIN copies c ON c.item_id = m.id WHERE m.id > ? AND m.id <= ? ORDER BY m.id, c.id",
    after,
    upTo,
  );
  // A line feed in valid JSON is layout: inside a text it is escaped.
  return rows.map((row) => `${row.envelope.replaceAll(/[\r\n]+/g, " ")}\n`).join("");
}

async function write(destination: Writable, text: string, signal: AbortSignal): Promise<void> {
  if (!destination.write(text)) await once(destination, "drain", { signal });
}
