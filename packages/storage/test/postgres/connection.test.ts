import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { openConnection, type SqlConnection } from "@twentysix/storage";
import { migrate } from "@twentysix/storage/writer";
import { readStoredBytes } from "../../src/database/read/long-text/stored-bytes.ts";
import { postgresDatabase, withoutPostgres } from "./on-postgres.ts";

describe("a connection onPostgres", { skip: withoutPostgres }, () => {
  it("reads values as the other engine does", (t) => {
    const connection = openConnection(postgresDatabase());
    t.after(() => connection.close());
    connection.exec("CREATE TABLE things (id BIGINT PRIMARY KEY, text TEXT, bytes BYTEA)");
    const bytes = Uint8Array.of(0, 1, 255);
    connection.run("INSERT INTO things VALUES (?, ?, ?)", 2n ** 60n, "What's '?'", bytes);
    const query =
      "SELECT id, text, bytes, text = 'no?' AS is_no, count(*) OVER () AS n, sum(id) OVER () AS all_ids FROM things";
    assert.deepEqual(connection.getBig(query), {
      id: 2n ** 60n,
      text: "What's '?'",
      bytes,
      is_no: 0n,
      n: 1n,
      all_ids: 2n ** 60n,
    });
    assert.throws(() => connection.get(query), RangeError);
    assert.equal(connection.get("SELECT 1 AS one WHERE CAST(? AS TEXT) IS NULL", "x"), undefined);
    assert.deepEqual(connection.all("SELECT octet_length(text) AS n FROM things"), [{ n: 10 }]);
  });

  it("sends what returns nothing along with what does, and tells what it changed", (t) => {
    const connection = openConnection(postgresDatabase());
    t.after(() => connection.close());
    connection.exec("CREATE TABLE things (id BIGINT PRIMARY KEY)");
    connection.transaction(() => {
      for (let id = 0; id < 5_000; id += 1) connection.run("INSERT INTO things VALUES (?)", id);
      const { changes } = connection.run("DELETE FROM things WHERE id < ?", 10);
      assert.equal(changes, 10);
      assert.deepEqual(connection.get("SELECT count(*) AS n FROM things"), { n: 4_990 });
    });
    const failing = (): void =>
      connection.transaction(() => {
        connection.run("DELETE FROM things");
        connection.run("INSERT INTO things VALUES (?)", null);
      });
    assert.throws(failing, { code: "DATABASE_REFUSED", sqlState: "23502" });
    assert.deepEqual(connection.get("SELECT count(*) AS n FROM things"), { n: 4_990 });
    assert.throws(() => connection.get("SELECT nothing"), { code: "DATABASE_REFUSED" });
  });

  it("reads together what does not depend on each other", (t) => {
    const connection = openConnection(postgresDatabase());
    t.after(() => connection.close());
    connection.exec("CREATE TABLE links (id BIGINT PRIMARY KEY, next BIGINT)");
    connection.transaction(() => {
      for (let id = 0; id < 300; id += 1) connection.run("INSERT INTO links VALUES (?, ?)", id, id + 1);
    });
    const found: number[] = [];
    const follow = (id: number): number =>
      connection.get<{ next: number }>("SELECT next FROM links WHERE id = ?", id)?.next ?? -1;
    const pieces = Array.from({ length: 200 }, (_, id) => () => {
      found[id] = follow(follow(follow(id)));
    });
    connection.together(pieces);
    assert.deepEqual(
      found,
      Array.from({ length: 200 }, (_, id) => id + 3),
    );
    assert.throws(() => connection.together([() => assert.fail("as it is")]), /as it is/);
    assert.equal(follow(7), 8);
  });

  it("goes through more rows than are fetched at once, and may leave in between", (t) => {
    const connection = openConnection(postgresDatabase());
    t.after(() => connection.close());
    const query = "SELECT * FROM generate_series(1, CAST(? AS BIGINT)) AS id";
    const ids = [...connection.iterateBig<{ id: bigint }>(query, 1_234)].map(({ id }) => Number(id));
    assert.deepEqual(
      ids,
      Array.from({ length: 1_234 }, (_, at) => at + 1),
    );
    for (const { id } of connection.iterateBig<{ id: bigint }>(query, 1_000)) if (id === 700n) break;
    assert.deepEqual(connection.get("SELECT 1 AS one"), { one: 1 });
  });

  it("loses a transaction with its connection, and goes on with a new one", (t) => {
    const url = postgresDatabase();
    const connection = openConnection(url);
    t.after(() => connection.close());
    connection.exec("CREATE TABLE things (id BIGINT)");
    const lost = (): void =>
      connection.transaction(() => {
        connection.run("INSERT INTO things VALUES (1)");
        cut(url, connection);
        connection.run("INSERT INTO things VALUES (2)");
      });
    assert.throws(lost, { code: "DATABASE_LOST" });
    assert.deepEqual(connection.get("SELECT count(*) AS n FROM things"), { n: 0 });
  });

  it("says what to do where no server answers", () => {
    const connection = openConnection("postgres://nobody@127.0.0.1:1/none");
    assert.throws(() => connection.get("SELECT 1"), {
      code: "DATABASE_LOST",
      message: /check that the PostgreSQL server/,
    });
    connection.close();
  });

  it("gives a text of many megabytes as bytes, in parts that cut characters", (t) => {
    const connection = openConnection(postgresDatabase());
    t.after(() => connection.close());
    connection.exec("CREATE TABLE texts (id BIGINT PRIMARY KEY, text TEXT)");
    const text = `${"aé☃".repeat(1_600_000)}end`;
    connection.run("INSERT INTO texts VALUES (1, ?)", text);
    const read = (id: number): Buffer | null =>
      readStoredBytes(connection, {
        expression: connection.dialect.utf8("text"),
        from: "FROM texts WHERE id = ?",
        parameters: [id],
      });
    assert.ok(read(1)?.equals(Buffer.from(text)));
    assert.equal(read(2), null);
  });

  it("takes all migrations, once", (t) => {
    const connection = openConnection(postgresDatabase());
    t.after(() => connection.close());
    assert.equal(migrate(connection), migrate(connection));
  });
});

/** Ends a session as an operator would. */
function cut(url: string, connection: SqlConnection): void {
  const session = connection.get<{ pid: number }>("SELECT pg_backend_pid() AS pid");
  const operator = openConnection(url);
  operator.get("SELECT pg_terminate_backend(CAST(? AS INTEGER))", session?.pid ?? 0);
  operator.close();
}
