import { type SqlConnection, STATUSES } from "@twentysix/storage/reader";
import { writeExchangeLine } from "../archive/exchange-line.ts";
import { writeSkeleton } from "../archive/skeleton-line.ts";
import { type StoredMessage, storedMessage } from "../archive/stored-messages.ts";
import {
  allHoldersOf,
  type HiddenMessage,
  hiddenMessage,
  targetsOf,
  withChildren,
} from "../archive/stored-skeletons.ts";
import { MAX_CONTENT_CHARACTERS } from "./travelling-content.ts";

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
/** Characters of what is left of the messages that one FORGET hides; beyond it too they are left to exported files. */
const MAX_SKELETON_CHARACTERS = 8 * 1024 * 1024;
/** Bytes of the texts that travel with the FORGET which hides them. More of them travel each by itself. */
const MAX_HIDDEN_BYTES = 16 * 1024 * 1024;

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
    if (covered > 0 && (run.characters >= maxCharacters || run.hasLookedEnough)) break;
    run.take(key);
    covered += 1;
  }
  return { lines: run.lines, covered };
}

class BodiesRead {
  readonly lines: BodyLine[] = [];
  /** Told. */
  characters = 0;
  #looked = 0;
  #skeletonCharacters = 0;
  readonly #connection: SqlConnection;
  /** Ids that were told. */
  readonly #told = new Set<number>();
  readonly #targets = new Map<number, Targets>();

  constructor(connection: SqlConnection) {
    this.#connection = connection;
  }

  /** What FORGETs hide is looked at, and held, whether it is told or not. */
  get hasLookedEnough(): boolean {
    return this.#looked >= MAX_HIDDEN || this.#skeletonCharacters >= MAX_SKELETON_CHARACTERS;
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
    if (holder === undefined) this.#takeHidden(hidden);
    else if (this.#targetsOf(holder.id).areAll) this.#takeLive(holder.id);
    else {
      this.#takeHidden(hidden);
      // What is left of it is good for nothing without a FORGET; a text is a message, and the FORGET has a key too.
      if (hidden.textBytes === 0) this.#takeForget(holder.id);
    }
    this.#takeHidden(hidden);
  }

  #takeLive(id: number): void {
    if (this.#told.has(id)) return;
    const message = storedMessage(this.#connection, id);
    if (message?.type === "FORGET") for (const hidden of this.#targetsOf(id).told) this.#takeHidden(hidden);
    this.#takeMessage(id, message);
  }

  /** Without what it hides. */
  #takeForget(id: number): void {
    this.#takeMessage(id, storedMessage(this.#connection, id));
  }

  #takeMessage(id: number, message: StoredMessage | null): void {
    if (this.#told.has(id)) return;
    this.#told.add(id);
    if (message === null) return;
    const isInline = message.copies.every(({ content }) => content === null);
    message.copies.forEach(({ envelope }, index) => {
      this.#add(writeExchangeLine(envelope, null), isInline || index > 0 ? null : message.hash);
    });
  }

  #targetsOf(forgetId: number): Targets {
    const known = this.#targets.get(forgetId);
    if (known !== undefined) return known;
    const targets = readTargets(this.#connection, forgetId);
    this.#looked += targets.looked;
    this.#skeletonCharacters += targets.skeletonCharacters;
    this.#targets.set(forgetId, targets);
    return targets;
  }

  #takeHidden(hidden: HiddenMessage): void {
    if (this.#told.has(hidden.id)) return;
    this.#told.add(hidden.id);
    for (const line of linesOf(hidden)) this.#add(line, null);
  }

  #add(text: string, contentOf: string | null): void {
    this.lines.push({ text, contentOf });
    this.characters += text.length;
  }
}

/** What travels ahead of a FORGET. */
interface Targets {
  readonly told: readonly HiddenMessage[];
  /** false: it hides more, of which each travels by its own key. */
  readonly areAll: boolean;
  readonly looked: number;
  readonly skeletonCharacters: number;
}

/** What is left of the messages that a FORGET hides, and their texts unless those are too long together. */
function readTargets(connection: SqlConnection, forgetId: number): Targets {
  const skeletons: HiddenMessage[] = [];
  let texts: HiddenMessage[] | null = [];
  let [looked, skeletonCharacters, textBytes] = [0, 0, 0];
  const targets = (areAll: boolean): Targets => ({
    told: [...skeletons, ...(texts ?? [])],
    areAll,
    looked,
    skeletonCharacters,
  });
  for (const target of targetsOf(connection, forgetId)) {
    for (const hidden of withChildren(connection, target)) {
      if (looked === MAX_HIDDEN || skeletonCharacters > MAX_SKELETON_CHARACTERS) return targets(false);
      looked += 1;
      if (hidden.textBytes === 0) {
        skeletonCharacters += writeSkeleton(hidden).length;
        skeletons.push(hidden);
        continue;
      }
      textBytes += hidden.textBytes;
      if (textBytes > MAX_HIDDEN_BYTES) texts = null;
      texts?.push(hidden);
    }
  }
  return targets(texts !== null);
}

/** Its texts, the content of one that is not inline with the first; what is left of it where it has none. */
function linesOf(hidden: HiddenMessage): readonly string[] {
  if (hidden.textBytes === 0) return [writeSkeleton(hidden)];
  return hidden.texts.map(({ envelope, content }, index) => {
    const travels = index === 0 && content !== null && content.length <= MAX_CONTENT_CHARACTERS;
    return writeExchangeLine(envelope, travels ? content : null);
  });
}
