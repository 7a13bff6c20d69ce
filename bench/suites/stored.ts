import { statSync } from "node:fs";
import { openConnection, type SqlConnection } from "@twentysix/storage";

const LOG_SAMPLE_MS = 200;

/** What the database of a node tells of itself, from outside of the node. */
export interface Stored {
  lastEvent(): number;
  lastCommitSeconds(): number;
  /** From the first to the last commit behind an event: every event carries the time of its batch. */
  secondsOfEvents(afterSeq: number): number;
  /** Messages accepted or forgotten. */
  messages(): number;
  /** Messages that were queued for something they need before they were processed. */
  waited(): number;
  bytes(): { readonly database: number; readonly texts: number };
}

export function storedIn(database: string): Stored {
  const read = <T>(work: (connection: SqlConnection) => T): T => {
    const connection = openConnection(database, { readOnly: true });
    try {
      return work(connection);
    } finally {
      connection.close();
    }
  };
  const number = (connection: SqlConnection, sql: string, ...parameters: number[]): number =>
    Number(connection.getBig<{ n: bigint | null }>(sql, ...parameters)?.n ?? 0n);
  return {
    lastEvent: () => read((connection) => number(connection, "SELECT max(seq) AS n FROM events")),
    lastCommitSeconds: () =>
      read((connection) => number(connection, "SELECT max(at_us) AS n FROM events") / 1e6),
    secondsOfEvents: (afterSeq) =>
      read((connection) => {
        const sql = "SELECT max(at_us) - min(at_us) AS n FROM events WHERE seq > ?";
        return number(connection, sql, afterSeq) / 1e6;
      }),
    messages: () =>
      read((connection) => number(connection, "SELECT count(*) AS n FROM items WHERE leaf IS NOT NULL")),
    waited: () =>
      read((connection) =>
        number(connection, "SELECT count(DISTINCT item_id) AS n FROM events WHERE kind = 0"),
      ),
    bytes: () =>
      read((connection) => ({
        database:
          connection.dialect.name === "sqlite"
            ? statSync(database).size
            : number(connection, "SELECT pg_database_size(current_database()) AS n"),
        texts: ["copies", "candidates"].reduce((sum, table) => {
          const texts = "octet_length(envelope) + coalesce(octet_length(content), 0)";
          return sum + number(connection, `SELECT sum(${texts}) AS n FROM ${table}`);
        }, 0),
      })),
  };
}

/** Watches a log; the call that it returns ends that and gives the largest size. */
export function largestLog(path: string): () => number {
  let largest = 0;
  const timer = setInterval(() => {
    largest = Math.max(largest, statSync(path, { throwIfNoEntry: false })?.size ?? 0);
  }, LOG_SAMPLE_MS);
  return () => {
    clearInterval(timer);
    return largest;
  };
}
