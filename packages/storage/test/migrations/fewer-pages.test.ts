import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MIGRATIONS } from "../../src/database/migrations/all.ts";
import { SqliteConnection } from "../../src/index.ts";
import { migrate } from "../../src/writer.ts";

/** A database as the version before left it. */
function databaseAt(number: number): SqliteConnection {
  const connection = new SqliteConnection(":memory:");
  for (const migration of MIGRATIONS.filter((one) => one.number <= number)) {
    connection.exec(migration.sql.sqlite);
    connection.exec(`PRAGMA user_version = ${migration.number}`);
  }
  return connection;
}

const hashOf = (seed: number): Uint8Array => Uint8Array.of(1, seed % 7, seed, ...new Uint8Array(30));

describe("the migration to fewer pages", () => {
  it("keeps items, counters, entities whose leaf is out of date, and messages", () => {
    const connection = databaseAt(2);
    for (let id = 1; id <= 200; id += 1) {
      connection.run(
        "INSERT INTO items (id, hash, status, reception_us, leaf) VALUES (?, ?, ?, ?, ?)",
        id,
        hashOf(id),
        id % 5,
        1_000 + id,
        id % 3 === 0 ? null : Uint8Array.of(id),
      );
      connection.run("INSERT INTO counters (dimension, a, b, n) VALUES (?, ?, ?, ?)", id % 9, id, id % 4, id);
    }
    connection.exec("INSERT INTO derived_dirty (kind, name) VALUES (0, 'a'), (1, 'b\nc')");
    connection.exec(
      `INSERT INTO messages (id, copy_id, type, item_type, chain_id, sender_id, owner_id, time_us, content_time_us, size, size_bytes)
       VALUES (7, 1, 0, 0, 1, 2, 3, 4, 5, 6, 7)`,
    );
    const look = () => ({
      items: connection.all("SELECT id, hash, status, reception_us, leaf FROM items ORDER BY id"),
      counters: connection.all("SELECT dimension, a, b, n FROM counters ORDER BY dimension, a, b"),
      dirty: connection.all("SELECT kind, name FROM derived_dirty ORDER BY kind, name"),
      messages: connection.allBig("SELECT * FROM messages"),
    });
    const before = look();
    migrate(connection);
    assert.deepEqual(look(), before);
    assert.equal(before.items.length, 200);
  });

  it("still gives an item one row and one number", () => {
    const connection = databaseAt(2);
    migrate(connection);
    const insert = (id: number, hash: Uint8Array) =>
      connection.run("INSERT INTO items (id, hash, status, reception_us) VALUES (?, ?, 0, 0)", id, hash);
    insert(1, hashOf(1));
    assert.throws(() => insert(2, hashOf(1)), /UNIQUE/);
    assert.throws(() => insert(1, hashOf(2)), /UNIQUE/);
  });
});
