import type { SqlConnection, SqlValue } from "../../sql/connection.ts";

/** Bytes that a server sends at once: they come as text, of twice that many characters. */
const CHUNK_BYTES = 4 * 1024 * 1024;

/** One value of one row as bytes, held outside of the heap. */
export interface StoredBytes {
  /** The bytes, as an expression. */
  readonly expression: string;
  /** `FROM …` with its conditions. */
  readonly from: string;
  readonly parameters: readonly SqlValue[];
}

/** null: there is no such row, or no value in it. */
export function readStoredBytes(connection: SqlConnection, stored: StoredBytes): Buffer | null {
  return connection.dialect.name === "sqlite"
    ? readWhole(connection, stored)
    : readChunks(connection, stored);
}

function readWhole(connection: SqlConnection, { expression, from, parameters }: StoredBytes): Buffer | null {
  const row = connection.get<{ bytes: Uint8Array<ArrayBuffer> | null }>(
    `SELECT ${expression} AS bytes ${from}`,
    ...parameters,
  );
  if (row === undefined || row.bytes === null) return null;
  return Buffer.from(row.bytes.buffer, row.bytes.byteOffset, row.bytes.length);
}

function readChunks(connection: SqlConnection, { expression, from, parameters }: StoredBytes): Buffer | null {
  const measured = connection.get<{ size: number | null }>(
    `SELECT octet_length(${expression}) AS size ${from}`,
    ...parameters,
  );
  if (measured === undefined || measured.size === null) return null;
  const bytes = Buffer.allocUnsafeSlow(measured.size);
  const query = `SELECT substring(${expression} FROM CAST(? AS INTEGER) FOR CAST(? AS INTEGER)) AS bytes ${from}`;
  for (let offset = 0; offset < bytes.length; ) {
    const row = connection.get<{ bytes: Uint8Array }>(query, offset + 1, CHUNK_BYTES, ...parameters);
    // Gone, or another one, since it was measured.
    if (row === undefined || row.bytes.length === 0) return null;
    bytes.set(row.bytes.subarray(0, bytes.length - offset), offset);
    offset += row.bytes.length;
  }
  return bytes;
}
