import { createHash } from "node:crypto";
import { ReadError } from "./read-error.ts";

/** What a cursor belongs to: a list, its order, and the digest of its filter. */
export interface CursorScope {
  readonly list: string;
  readonly order: string;
  readonly digest: string;
  /** How many times and how many texts a position has. */
  readonly times: number;
  readonly texts: number;
}

/** A place in a list: times exact to the microsecond, then texts that break ties. */
export interface CursorPosition {
  readonly times: readonly bigint[];
  readonly texts: readonly string[];
}

const MAX_CURSOR_CHARACTERS = 4_096;
const INTEGER = /^-?[0-9]{1,19}$/;
const LIMIT = 2n ** 63n;

/** Short digest of a filter: the same conditions give the same text, whatever the order of members. */
export function filterDigest(filter: object): string {
  const entries = Object.entries(filter)
    .filter(([, value]) => value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const text = JSON.stringify(entries, (_, value: unknown) =>
    typeof value === "bigint" ? `${value}n` : value,
  );
  return createHash("sha256").update(text).digest("base64url").slice(0, 11);
}

/** Opaque text of a position: base64url of compact JSON that says which request it belongs to. */
export function encodeCursor(scope: CursorScope, position: CursorPosition): string {
  const body = [scope.list, scope.order, scope.digest, position.times.map(String), position.texts];
  return Buffer.from(JSON.stringify(body)).toString("base64url");
}

/**
 * The position in a cursor; null for the empty cursor, which stands for the start.
 *
 * @throws ReadError CURSOR_INVALID when the text is not a cursor, or was made for another list, order or filter
 */
export function decodeCursor(scope: CursorScope, cursor: string | null): CursorPosition | null {
  if (cursor === null || cursor === "") return null;
  const body = parseBody(cursor);
  if (body === null) throw invalid("the cursor is malformed");
  const [list, order, digest, times, texts] = body;
  if (list !== scope.list) throw invalid("the cursor belongs to another list");
  if (order !== scope.order) throw invalid("the cursor was made for another order");
  if (digest !== scope.digest) throw invalid("the cursor was made for other filters");
  const parsedTimes = readTimes(times, scope.times);
  const parsedTexts = readTexts(texts, scope.texts);
  if (parsedTimes === null || parsedTexts === null) throw invalid("the cursor is malformed");
  return { times: parsedTimes, texts: parsedTexts };
}

function invalid(why: string): ReadError {
  return new ReadError(
    "CURSOR_INVALID",
    `${why}: repeat the request that gave it with the same filters and order, or start with an empty cursor`,
  );
}

function parseBody(cursor: string): readonly unknown[] | null {
  if (cursor.length > MAX_CURSOR_CHARACTERS || !/^[A-Za-z0-9_-]+$/.test(cursor)) return null;
  try {
    const body: unknown = JSON.parse(Buffer.from(cursor, "base64url").toString("utf8"));
    return Array.isArray(body) && body.length === 5 ? body : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function readTimes(value: unknown, count: number): bigint[] | null {
  if (!Array.isArray(value) || value.length !== count) return null;
  const times: bigint[] = [];
  for (const text of value as readonly unknown[]) {
    if (typeof text !== "string" || !INTEGER.test(text)) return null;
    const time = BigInt(text);
    if (time < -LIMIT || time >= LIMIT) return null;
    times.push(time);
  }
  return times;
}

function readTexts(value: unknown, count: number): string[] | null {
  if (!Array.isArray(value) || value.length !== count) return null;
  return value.every((text) => typeof text === "string") ? value : null;
}
