import { encodeHex } from "@twentysix/protocol";
import { SqliteConnection } from "../../database/sqlite/connection.ts";
import { ChunkDigests } from "./chunk-digests.ts";
import type { RemoteObject } from "./remote-objects.ts";

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS object (
    store TEXT NOT NULL,
    sha256 BLOB NOT NULL,
    address TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    chunk_digests BLOB NOT NULL,
    is_complete INTEGER NOT NULL,
    PRIMARY KEY (store, sha256, address)
  ) STRICT;
  CREATE INDEX IF NOT EXISTS object_address ON object (address);
  CREATE INDEX IF NOT EXISTS object_incomplete ON object (store) WHERE is_complete = 0;
  CREATE TABLE IF NOT EXISTS published (root TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
`;

/** What this machine knows of an object: enough to verify every byte that the server gives back. */
export interface ObjectRecord extends RemoteObject {
  readonly chunkDigests: ChunkDigests;
}

interface ObjectRow {
  readonly sha256: Uint8Array;
  readonly address: string;
  readonly size_bytes: number;
  readonly chunk_digests: Uint8Array;
}

const COLUMNS = "sha256, address, size_bytes, chunk_digests";

/**
 * The records of objects on a server, in one SQLite file on this machine. A record is written as incomplete before
 * the server is asked to store or to remove its object, so that a crash in between leaves a trace.
 */
export class RemoteCatalog implements Disposable {
  readonly #database: SqliteConnection;

  constructor(path: string, { readOnly = false }: { readonly readOnly?: boolean } = {}) {
    this.#database = new SqliteConnection(path, { readOnly });
    if (!readOnly) this.#database.exec(SCHEMA);
  }

  /** Notes that the server is about to be asked. A record that is complete stays so. */
  intend(store: string, record: ObjectRecord): void {
    this.#database.run(
      "INSERT OR IGNORE INTO object VALUES (?, ?, ?, ?, ?, 0)",
      store,
      bytesOf(record.sha256),
      record.address,
      record.sizeBytes,
      record.chunkDigests.bytes,
    );
  }

  setComplete(store: string, { sha256, address }: RemoteObject, isComplete: boolean): void {
    this.#database.run(
      "UPDATE object SET is_complete = ? WHERE store = ? AND sha256 = ? AND address = ?",
      Number(isComplete),
      store,
      bytesOf(sha256),
      address,
    );
  }

  delete(store: string, { sha256, address }: RemoteObject): void {
    this.#database.run(
      "DELETE FROM object WHERE store = ? AND sha256 = ? AND address = ?",
      store,
      bytesOf(sha256),
      address,
    );
  }

  /** A complete record of a blob. */
  find(store: string, sha256: string): ObjectRecord | undefined {
    return this.all(store, sha256, true)[0];
  }

  /** Records of a blob, which may stand under several addresses; the incomplete ones too unless said otherwise. */
  all(store: string, sha256: string, isComplete = false): ObjectRecord[] {
    const rows = this.#database.all<ObjectRow>(
      `SELECT ${COLUMNS} FROM object WHERE store = ? AND sha256 = ? AND is_complete >= ? ORDER BY address`,
      store,
      bytesOf(sha256),
      Number(isComplete),
    );
    return rows.map(recordOf);
  }

  /** What a crash or a failure left between this machine and the server. */
  incomplete(store: string): ObjectRecord[] {
    const query = `SELECT ${COLUMNS} FROM object WHERE store = ? AND is_complete = 0 LIMIT 1000`;
    return this.#database.all<ObjectRow>(query, store).map(recordOf);
  }

  /** Complete records in the order of their SHA-256, one a blob. */
  page(store: string, after: string): { readonly sha256: string; readonly sizeBytes: number }[] {
    const rows = this.#database.all<Pick<ObjectRow, "sha256" | "size_bytes">>(
      `SELECT sha256, size_bytes FROM object WHERE store = ? AND sha256 > ? AND is_complete = 1
       GROUP BY sha256 ORDER BY sha256 LIMIT 200`,
      store,
      bytesOf(after),
    );
    return rows.map(({ sha256, size_bytes }) => ({ sha256: encodeHex(sha256), sizeBytes: size_bytes }));
  }

  /** How many records need what stands under an address. */
  countAt(address: string): number {
    const query =
      "SELECT (SELECT COUNT(*) FROM object WHERE address = ?) + (SELECT COUNT(*) FROM published WHERE root = ?) AS n";
    return this.#database.get<{ n: number }>(query, address, address)?.n ?? 0;
  }

  addPublished(root: string): void {
    this.#database.run("INSERT OR IGNORE INTO published VALUES (?)", root);
  }

  deletePublished(root: string): void {
    this.#database.run("DELETE FROM published WHERE root = ?", root);
  }

  isPublished(root: string): boolean {
    return this.#database.get("SELECT 1 FROM published WHERE root = ?", root) !== undefined;
  }

  published(): string[] {
    return this.#database.all<{ root: string }>("SELECT root FROM published").map(({ root }) => root);
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }
}

function recordOf(row: ObjectRow): ObjectRecord {
  return {
    sha256: encodeHex(row.sha256),
    address: row.address,
    sizeBytes: row.size_bytes,
    chunkDigests: new ChunkDigests(row.chunk_digests),
  };
}

const bytesOf = (sha256: string): Uint8Array => Buffer.from(sha256, "hex");
