import { type SqlConnection, STATUSES } from "@twentysix/storage/reader";
import { writeExchangeLine } from "../archive/exchange-line.ts";
import { writeSkeleton } from "../archive/skeleton-line.ts";
import { storedMessage } from "../archive/stored-messages.ts";
import {
  allHoldersOf,
  type HiddenMessage,
  hiddenMessage,
  targetsOf,
  withChildren,
} from "../archive/stored-skeletons.ts";

/** A line as `archive-line.ts` reads it. */
export interface BodyLine {
  readonly text: string;
  /** The item hash of a message whose content is not inline: it is to travel in the line. */
  readonly contentOf: string | null;
}

/** Everything stored of some messages. */
export interface Bodies {
  readonly lines: readonly BodyLine[];
  /** How many of the messages asked for are answered; the rest is to be asked for again. */
  readonly covered: number;
}

const FORGOTTEN = STATUSES.indexOf("forgotten");
/** A FORGET that hides more of them is left to exported files: they are judged together, in memory. */
const MAX_HIDDEN = 20_000;
/** Largest content that travels along, in characters of its text. */
export const MAX_CONTENT_CHARACTERS = 16 * 1024 * 1024;

/**
 * All copies of messages; of forgotten ones what their FORGET needs to be judged elsewhere: everything that it hides,
 * as retained texts or skeletons, and then the FORGET. Of a message that is gone meanwhile nothing is told.
 *
 * @param maxCharacters after which no further message is begun
 */
export function readBodies(
  connection: SqlConnection,
  keys: readonly string[],
  maxCharacters: number,
): Bodies {
  const run = new BodiesRead(connection);
  let covered = 0;
  for (const key of keys) {
    if (covered > 0 && run.characters >= maxCharacters) break;
    run.take(key);
    covered += 1;
  }
  return { lines: run.lines, covered };
}

class BodiesRead {
  readonly lines: BodyLine[] = [];
  characters = 0;
  readonly #connection: SqlConnection;
  /** Ids that were told. */
  readonly #told = new Set<number>();

  constructor(connection: SqlConnection) {
    this.#connection = connection;
  }

  take(key: string): void {
    const query = "SELECT id, status FROM items WHERE hash = ?";
    const row = this.#connection.get<{ id: number; status: number }>(query, Buffer.from(key, "hex"));
    if (row === undefined || this.#told.has(row.id)) return;
    const isForgotten = row.status === FORGOTTEN;
    const hidden = isForgotten ? hiddenMessage(this.#connection, row.id) : null;
    if (hidden === null) {
      this.#takeLive(row.id);
      return;
    }
    const [holder] = allHoldersOf(this.#connection, hidden);
    if (holder !== undefined) this.#takeLive(holder.id);
    if (!this.#told.has(row.id)) this.#takeHidden(hidden);
  }

  #takeLive(id: number): void {
    if (this.#told.has(id)) return;
    this.#told.add(id);
    const message = storedMessage(this.#connection, id);
    if (message === null) return;
    if (message.type === "FORGET") this.#takeTargets(id);
    const isInline = message.copies.every(({ content }) => content === null);
    message.copies.forEach(({ envelope }, index) => {
      this.#add(writeExchangeLine(envelope, null), isInline || index > 0 ? null : message.hash);
    });
  }

  #takeTargets(forgetId: number): void {
    let left = MAX_HIDDEN;
    for (const target of targetsOf(this.#connection, forgetId)) {
      for (const hidden of withChildren(this.#connection, target)) {
        this.#takeHidden(hidden);
        left -= 1;
        if (left === 0) return;
      }
    }
  }

  #takeHidden(hidden: HiddenMessage): void {
    if (this.#told.has(hidden.id)) return;
    this.#told.add(hidden.id);
    for (const { envelope, content } of hidden.texts) this.#add(writeExchangeLine(envelope, content), null);
    if (hidden.texts.length === 0) this.#add(writeSkeleton(hidden), null);
  }

  #add(text: string, contentOf: string | null): void {
    this.lines.push({ text, contentOf });
    this.characters += text.length;
  }
}
