import type { Timers } from "@twentysix/platform";
import { SqliteConnection } from "../database/sqlite/connection.ts";
import type { BlockEntry, BlockIndex, BlockLocation, DagRecord } from "./block-index.ts";
import type { DagStat } from "./dag-stat.ts";

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS dag (
    id INTEGER PRIMARY KEY,
    root TEXT NOT NULL UNIQUE,
    type TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    cumulative_size_bytes INTEGER NOT NULL,
    file TEXT,
    pack TEXT,
    owns_file INTEGER NOT NULL,
    is_complete INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS dag_file ON dag (file) WHERE file IS NOT NULL;
  CREATE INDEX IF NOT EXISTS dag_pack ON dag (pack) WHERE pack IS NOT NULL;
  CREATE TABLE IF NOT EXISTS block (
    digest BLOB NOT NULL,
    dag_id INTEGER NOT NULL,
    place INTEGER NOT NULL,
    offset_bytes INTEGER NOT NULL,
    length_bytes INTEGER NOT NULL,
    PRIMARY KEY (digest, dag_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS block_dag ON block (dag_id);
`;

/** Codes of `block.place`. */
const IN_PACK = 0;
const IN_FILE = 1;
const IN_FILE_WRAPPED = 2;

/** Blocks written before the thread is given to others. */
const BATCH_BLOCKS = 1000;

interface DagRow {
  readonly root: string;
  readonly type: DagStat["type"];
  readonly size_bytes: number;
  readonly cumulative_size_bytes: number;
  readonly file: string | null;
  readonly pack: string | null;
  readonly owns_file: number;
}

interface BlockRow {
  readonly place: number;
  readonly offset_bytes: number;
  readonly length_bytes: number;
  readonly file: string | null;
  readonly pack: string | null;
}

/** The index in one SQLite file beside the blobs: a point read takes some microseconds. */
export class SqliteBlockIndex implements BlockIndex {
  readonly #database: SqliteConnection;
  readonly #timers: Pick<Timers, "sleep">;

  /**
   * @param path of the database file, or `:memory:`
   * @param timers give the thread to others between the batches of a large DAG
   * @param options `readOnly` is for a folder that another process may be writing to
   */
  constructor(path: string, timers: Pick<Timers, "sleep">, options: { readonly readOnly?: boolean } = {}) {
    this.#timers = timers;
    const { readOnly = false } = options;
    this.#database = new SqliteConnection(path, { readOnly });
    if (readOnly) return;
    this.#database.exec(SCHEMA);
    this.#removeIncomplete();
  }

  async add(record: DagRecord, blocks: Iterable<BlockEntry>, signal?: AbortSignal): Promise<void> {
    const dagId = this.#database.run(
      `INSERT INTO dag (root, type, size_bytes, cumulative_size_bytes, file, pack, owns_file, is_complete)
       VALUES (?, ?, ?, ?, ?, ?, ?, 0)`,
      record.root,
      record.type,
      record.sizeBytes,
      record.cumulativeSizeBytes,
      record.file ?? null,
      record.pack ?? null,
      Number(record.ownsFile),
    ).lastId;
    try {
      for (const batch of batches(blocks)) {
        signal?.throwIfAborted();
        this.#database.transaction(() => this.#insertBlocks(dagId, batch));
        await this.#timers.sleep(0, signal);
      }
    } catch (error) {
      this.#removeDag(dagId);
      throw error;
    }
    this.#database.run("UPDATE dag SET is_complete = 1 WHERE id = ?", dagId);
  }

  async remove(root: string): Promise<void> {
    const row = this.#database.get<{ id: number }>("SELECT id FROM dag WHERE root = ?", root);
    if (row !== undefined) this.#removeDag(row.id);
  }

  async find(root: string): Promise<DagRecord | undefined> {
    const row = this.#database.get<DagRow>("SELECT * FROM dag WHERE root = ? AND is_complete = 1", root);
    return row === undefined ? undefined : recordOf(row);
  }

  async locate(digest: Uint8Array): Promise<readonly BlockLocation[]> {
    const rows = this.#database.all<BlockRow>(
      `SELECT place, offset_bytes, length_bytes, file, pack FROM block JOIN dag ON dag.id = dag_id
       WHERE digest = ? AND is_complete = 1 LIMIT 20`,
      digest,
    );
    return rows.map(locationOf);
  }

  async rootsOfFile(sha256: string): Promise<readonly DagRecord[]> {
    const rows = this.#database.all<DagRow>(
      "SELECT * FROM dag WHERE file = ? AND is_complete = 1 ORDER BY owns_file DESC, root",
      sha256,
    );
    return rows.map(recordOf);
  }

  async isPackUsed(sha256: string): Promise<boolean> {
    return this.#database.get("SELECT 1 FROM dag WHERE pack = ?", sha256) !== undefined;
  }

  async setOwnsFile(root: string, ownsFile: boolean): Promise<void> {
    this.#database.run("UPDATE dag SET owns_file = ? WHERE root = ?", Number(ownsFile), root);
  }

  async *list(signal?: AbortSignal): AsyncGenerator<DagRecord, void, undefined> {
    for (let after: string | undefined = ""; after !== undefined; ) {
      signal?.throwIfAborted();
      const rows: DagRow[] = this.#database.all<DagRow>(
        "SELECT * FROM dag WHERE root > ? AND is_complete = 1 ORDER BY root LIMIT 200",
        after,
      );
      yield* rows.map(recordOf);
      after = rows.at(-1)?.root;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#database.close();
  }

  #insertBlocks(dagId: number, batch: readonly BlockEntry[]): void {
    for (const { digest, holder, offsetBytes, lengthBytes, isWrapped } of batch) {
      const place = holder === "pack" ? IN_PACK : isWrapped ? IN_FILE_WRAPPED : IN_FILE;
      // A chunk that comes twice in a file is one block; either place serves.
      this.#database.run(
        "INSERT OR IGNORE INTO block VALUES (?, ?, ?, ?, ?)",
        digest,
        dagId,
        place,
        offsetBytes,
        lengthBytes,
      );
    }
  }

  #removeDag(dagId: number): void {
    this.#database.transaction(() => {
      this.#database.run("DELETE FROM block WHERE dag_id = ?", dagId);
      this.#database.run("DELETE FROM dag WHERE id = ?", dagId);
    });
  }

  /** What a process that died was adding. */
  #removeIncomplete(): void {
    const rows = this.#database.all<{ id: number }>("SELECT id FROM dag WHERE is_complete = 0");
    for (const { id } of rows) this.#removeDag(id);
  }
}

function recordOf(row: DagRow): DagRecord {
  return {
    root: row.root,
    type: row.type,
    sizeBytes: row.size_bytes,
    cumulativeSizeBytes: row.cumulative_size_bytes,
    ...(row.file === null ? {} : { file: row.file }),
    ...(row.pack === null ? {} : { pack: row.pack }),
    ownsFile: row.owns_file === 1,
  };
}

function locationOf(row: BlockRow): BlockLocation {
  const holder = row.place === IN_PACK ? "pack" : "file";
  return {
    holder,
    sha256: (holder === "pack" ? row.pack : row.file) ?? "",
    offsetBytes: row.offset_bytes,
    lengthBytes: row.length_bytes,
    isWrapped: row.place === IN_FILE_WRAPPED,
  };
}

function* batches(blocks: Iterable<BlockEntry>): Generator<BlockEntry[]> {
  let batch: BlockEntry[] = [];
  for (const block of blocks) {
    batch.push(block);
    if (batch.length < BATCH_BLOCKS) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
