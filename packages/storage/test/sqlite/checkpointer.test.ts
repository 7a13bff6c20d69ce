import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { Checkpointer } from "../../src/database/sqlite/checkpointer.ts";
import { WriteAheadLog } from "../../src/database/sqlite/write-ahead-log.ts";
import { SqliteConnection } from "../../src/index.ts";

const folder = mkdtempSync(join(tmpdir(), "checkpointer-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** A database whose log grows by about 30 pages a step. */
class Growing {
  readonly path: string;
  readonly connection: SqliteConnection;
  readonly log: WriteAheadLog;

  constructor(name: string) {
    this.path = join(folder, name);
    this.connection = new SqliteConnection(this.path, { synchronous: "normal" });
    this.connection.exec("PRAGMA wal_autocheckpoint = 0; CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT)");
    this.log = new WriteAheadLog(this.path);
  }

  grow(): void {
    this.connection.run("INSERT INTO t (text) VALUES (?)", "x".repeat(120_000));
  }

  get rows(): number {
    return this.connection.get<{ n: number }>("SELECT count(*) AS n FROM t")?.n ?? 0;
  }
}

describe("checkpoints apart", () => {
  it("keep the log of a writer that never stops within a bound, and lose nothing", async () => {
    const database = new Growing("busy");
    const checkpointer = new Checkpointer(database.path);
    let largest = 0;
    let startedOver = 0;
    let before = 0;
    let steps = 0;
    while (startedOver < 3 && steps < 20_000) {
      database.grow();
      steps += 1;
      const frames = database.log.frames();
      if (frames < before) startedOver += 1;
      before = frames;
      largest = Math.max(largest, frames);
      if (checkpointer.advise(frames) === "fold") database.connection.exec("PRAGMA wal_checkpoint(passive)");
      // The thread and the writer share two cores with everything else.
      if (steps % 50 === 0) await delay(1);
    }
    assert.equal(startedOver, 3, `the log reached ${largest} pages in ${steps} steps`);
    checkpointer.close();
    database.log.close();
    database.connection.close();
    const again = new SqliteConnection(database.path, { readOnly: true });
    assert.equal(again.get<{ n: number }>("SELECT count(*) AS n FROM t")?.n, steps);
    assert.equal(again.get<{ integrity_check: string }>("PRAGMA integrity_check")?.integrity_check, "ok");
    again.close();
  });

  it("bound the log of a writer that outruns them, whatever each of its steps writes", () => {
    const database = new Growing("outrun");
    const limits = { maxFrames: 100, fewFrames: 10, hardFrames: 400 };
    const checkpointer = new Checkpointer(database.path, limits);
    let largest = 0;
    for (let step = 1; step <= 600; step += 1) {
      database.grow();
      const frames = database.log.frames();
      largest = Math.max(largest, frames);
      // No pause: the thread never sees fewer pages left than one step writes.
      if (checkpointer.advise(frames) === "fold") database.connection.exec("PRAGMA wal_checkpoint(passive)");
    }
    assert.ok(largest <= 2 * limits.hardFrames + 200, `the log reached ${largest} pages`);
    assert.equal(database.rows, 600);
    checkpointer.close();
    database.log.close();
    database.connection.close();
  });

  it("let go of the database when they are closed, so that the log can be emptied", () => {
    const database = new Growing("closed");
    const checkpointer = new Checkpointer(database.path);
    database.grow();
    checkpointer.close();
    const row = database.connection.get<{ busy: number; log: number }>("PRAGMA wal_checkpoint(truncate)");
    assert.deepEqual({ ...row }, { busy: 0, log: 0, checkpointed: 0 });
    assert.equal(database.rows, 1);
    database.log.close();
    database.connection.close();
  });

  it("tell the writer when their thread failed", async () => {
    const checkpointer = new Checkpointer(join(folder, "no-such-folder", "database"));
    const failed = async (): Promise<boolean> => {
      try {
        checkpointer.advise(0);
        return false;
      } catch (error) {
        assert.match(String(error), /checkpoint thread failed/);
        return true;
      }
    };
    while (!(await failed())) await delay(5);
    checkpointer.close();
  });
});
