import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { readCorpus } from "../corpus.ts";

/** About as many messages as one batch of the writer holds. */
const BATCH = 64;

/**
 * A baseline of ingest: the same texts into one table keyed by their hash, in transactions of the same size, each
 * synced. Nothing is checked, derived, or indexed otherwise.
 *
 * @returns rows a second
 */
export async function bareInserts(corpusPath: string): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "twentysix-bare-"));
  const database = new DatabaseSync(join(folder, "bare.sqlite"));
  try {
    database.exec(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE t (hash BLOB PRIMARY KEY, text TEXT)",
    );
    const insert = database.prepare("INSERT OR IGNORE INTO t VALUES (?, ?)");
    let count = 0;
    let spentMs = 0;
    let batch: string[] = [];
    const flush = (): void => {
      const startedMs = performance.now();
      database.exec("BEGIN IMMEDIATE");
      for (const text of batch) insert.run(createHash("sha256").update(text).digest(), text);
      database.exec("COMMIT");
      spentMs += performance.now() - startedMs;
      count += batch.length;
      batch = [];
    };
    for await (const line of readCorpus(corpusPath)) {
      batch.push(line);
      if (batch.length === BATCH) flush();
    }
    flush();
    return (count / spentMs) * 1000;
  } finally {
    database.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
