import type { Timers } from "@twentysix/platform";
import { ChainError } from "../errors.ts";
import { httpText } from "../http-text.ts";

export interface GraphqlOptions {
  readonly url: string;
  readonly timers: Pick<Timers, "withTimeout">;
  readonly signal: AbortSignal;
}

/** Asks an indexer. @throws ChainError CHAIN_CONTENT_UNAVAILABLE, CHAIN_ANSWER_TOO_LARGE */
export async function askGraphql(
  { url, timers, signal }: GraphqlOptions,
  query: string,
): Promise<Readonly<Record<string, unknown>>> {
  const { status, body } = await httpText(url, { timers, signal, json: { query } });
  let answer: { readonly data?: unknown; readonly errors?: readonly { readonly message?: unknown }[] };
  try {
    answer = JSON.parse(body);
  } catch (error) {
    if (error instanceof SyntaxError) throw malformed(`HTTP ${status} without JSON`);
    throw error;
  }
  const [failure] = answer.errors ?? [];
  if (failure !== undefined) throw malformed(String(failure.message));
  if (typeof answer.data !== "object" || answer.data === null) throw malformed(`HTTP ${status} without data`);
  return answer.data as Readonly<Record<string, unknown>>;
}

/** A list of objects out of an answer. */
export function rowsOf(
  data: Readonly<Record<string, unknown>>,
  name: string,
): readonly Readonly<Record<string, unknown>>[] {
  const rows = data[name];
  if (!Array.isArray(rows)) throw malformed(`${name} is no list`);
  return rows;
}

export function textOf(row: Readonly<Record<string, unknown>>, name: string): string {
  const value = row[name];
  if (typeof value !== "string") throw malformed(`${name} is no text`);
  return value;
}

export function numberOf(row: Readonly<Record<string, unknown>>, name: string): number {
  const value = Number(row[name]);
  if (row[name] === null || row[name] === "" || !Number.isFinite(value))
    throw malformed(`${name} is no number`);
  return value;
}

/** What whoever sent a transaction wrote, or left out: no fault of the indexer. */
export function textOrNull(row: Readonly<Record<string, unknown>>, name: string): string | null {
  const value = row[name];
  return typeof value === "string" ? value : null;
}

const malformed = (why: string): ChainError =>
  new ChainError("CHAIN_CONTENT_UNAVAILABLE", `The answer of an indexer is unusable: ${why}`);
