import type { FastifyRequest } from "fastify";
import { ControlError } from "../errors.ts";
import { parseDate } from "../http/dates.ts";
import { queryText } from "../http/query.ts";
import type { LogLine, VmLogs } from "./vm-logs.ts";

/** Which lines of a log are wanted. */
export interface LogQuery {
  /** From this time on, and before that one; null: no bound. */
  readonly sinceMs: number | null;
  readonly untilMs: number | null;
  /** So many, the newest of them; null: all. */
  readonly limit: number | null;
  /** A console is one stream: whatever a guest writes is `stdout`. */
  readonly type: LogType | null;
}

const TYPES = ["stdout", "stderr", "system"] as const;
type LogType = (typeof TYPES)[number];
const MAX_LIMIT = 1_000_000;

/** @throws ControlError 400 */
export function readLogQuery(request: FastifyRequest): LogQuery {
  return {
    sinceMs: readTime(request, "since"),
    untilMs: readTime(request, "until"),
    limit: readLimit(request),
    type: readType(request),
  };
}

/** Looks at the log twice where only the newest lines are wanted, instead of holding them. */
export async function* linesOf(
  logs: VmLogs,
  vmHash: string,
  query: LogQuery,
): AsyncGenerator<LogLine, void, undefined> {
  const { limit } = query;
  let skipped = 0;
  if (limit !== null) {
    let count = 0;
    for await (const line of logs.lines(vmHash, null)) if (isWanted(line, query)) count += 1;
    skipped = Math.max(count - limit, 0);
  }
  for await (const line of logs.lines(vmHash, null)) {
    if (!isWanted(line, query)) continue;
    if (skipped > 0) skipped -= 1;
    else yield line;
  }
}

function isWanted({ atMs }: LogLine, { sinceMs, untilMs, type }: LogQuery): boolean {
  if (type !== null && type !== "stdout") return false;
  return (sinceMs === null || atMs >= sinceMs) && (untilMs === null || atMs < untilMs);
}

function readTime(request: FastifyRequest, name: "since" | "until"): number | null {
  const text = queryText(request, name);
  if (text === null) return null;
  // A plus that is not escaped arrives as a space.
  const atMs = parseDate(text.replace(/(:\d{2}(?:\.\d+)?) (\d{2}:?\d{2})$/, "$1+$2"), { needsZone: false });
  if (atMs !== null) return atMs;
  throw refused(name, text, "give a date like 2026-01-31T12:00:00Z, or Unix seconds");
}

function readLimit(request: FastifyRequest): number | null {
  const text = queryText(request, "limit");
  if (text === null) return null;
  const limit = /^\d{1,7}$/.test(text) ? Number(text) : 0;
  if (limit >= 1 && limit <= MAX_LIMIT) return limit;
  throw refused("limit", text, `give a whole number from 1 to ${MAX_LIMIT}`);
}

function readType(request: FastifyRequest): LogType | null {
  const text = queryText(request, "type");
  if (text === null) return null;
  const type = TYPES.find((known) => known === text);
  if (type !== undefined) return type;
  throw refused("type", text, `give one of ${TYPES.join(", ")}`);
}

function refused(name: string, text: string, advice: string): ControlError {
  return new ControlError(400, `${name} is "${text.slice(0, 64)}"; ${advice}`);
}
