import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MIGRATIONS } from "../../src/database/migrations/all.ts";
import { openConnection, type SqlConnection, SqliteConnection } from "../../src/index.ts";
import { migrate } from "../../src/writer.ts";
import { postgresDatabase, withoutPostgres } from "../postgres/on-postgres.ts";

const ENGINES = [
  { name: "SQLite", skip: false, open: () => new SqliteConnection(":memory:") },
  // onPostgres
  { name: "PostgreSQL", skip: withoutPostgres, open: () => openConnection(postgresDatabase()) },
] as const;

/** A database as the version before left it, with a file and an item. */
function databaseBefore(connection: SqlConnection): void {
  const { name } = connection.dialect;
  for (const { number, sql } of MIGRATIONS) {
    if (number >= 9) continue;
    const text = sql[name];
    if (text !== null) connection.exec(text);
  }
  if (name === "sqlite") connection.exec("PRAGMA user_version = 8");
  else
    connection.exec(
      "CREATE TABLE schema_migrations (number BIGINT PRIMARY KEY); INSERT INTO schema_migrations VALUES (8)",
    );
  connection.run("INSERT INTO files (id, hash, size, type) VALUES (1, ?, 5, 0)", Uint8Array.of(1));
  connection.run("INSERT INTO items (id, hash, status, reception_us) VALUES (1, ?, 1, 0)", Uint8Array.of(2));
}

interface PinRow {
  readonly file: number;
  readonly kind: number;
  readonly item?: number;
  readonly tx?: string;
  readonly until?: number;
}

function pin(connection: SqlConnection, { file, kind, item, tx, until }: PinRow): void {
  connection.transaction(() => {
    connection.run(
      "INSERT INTO pins (file_id, kind, item_id, tx_hash, created_us, delete_by_us) VALUES (?, ?, ?, ?, 0, ?)",
      file,
      kind,
      item ?? null,
      tx ?? null,
      until ?? null,
    );
  });
}

for (const { name, skip, open } of ENGINES) {
  describe(`pins on ${name}`, { skip }, () => {
    it("of which there were several for one reason are one, the longest", () => {
      const connection = open();
      databaseBefore(connection);
      for (const until of [10, 30, 20, 30]) pin(connection, { file: 1, kind: 3, until });
      for (const tx of ["a", "b", "a"]) pin(connection, { file: 1, kind: 2, tx });
      pin(connection, { file: 1, kind: 1, item: 1 });
      migrate(connection);
      assert.deepEqual(
        connection
          .all("SELECT kind, tx_hash, item_id, delete_by_us FROM pins ORDER BY kind, tx_hash")
          .map((row) => ({ ...row })),
        [
          { kind: 1, tx_hash: null, item_id: 1, delete_by_us: null },
          { kind: 2, tx_hash: "a", item_id: null, delete_by_us: null },
          { kind: 2, tx_hash: "b", item_id: null, delete_by_us: null },
          { kind: 3, tx_hash: null, item_id: null, delete_by_us: 30 },
        ],
      );
      connection.close();
    });

    it("are taken once for each reason", () => {
      const connection = open();
      databaseBefore(connection);
      migrate(connection);
      for (const row of [
        { file: 1, kind: 0, item: 1 },
        { file: 1, kind: 1, item: 1 },
        { file: 1, kind: 2, tx: "a" },
        { file: 1, kind: 3, until: 10 },
      ]) {
        pin(connection, row);
        assert.throws(() => pin(connection, row), /unique/i, JSON.stringify(row));
      }
      pin(connection, { file: 1, kind: 2, tx: "b" });
      connection.close();
    });

    it("lead to a file and an item where a server holds them", () => {
      const connection = open();
      databaseBefore(connection);
      pin(connection, { file: 9, kind: 3, until: 1 });
      pin(connection, { file: 1, kind: 1, item: 9 });
      migrate(connection);
      if (connection.dialect.name === "postgres") {
        assert.equal(connection.get<{ n: number }>("SELECT count(*) AS n FROM pins")?.n, 0);
        assert.throws(() => pin(connection, { file: 9, kind: 3, until: 1 }), /pins_of_file/);
        assert.throws(() => pin(connection, { file: 1, kind: 1, item: 9 }), /pins_of_item/);
        pin(connection, { file: 1, kind: 3, until: 1 });
        assert.throws(
          () => connection.transaction(() => connection.run("DELETE FROM files WHERE id = 1")),
          /pins_of_file/,
        );
      }
      connection.close();
    });
  });
}
