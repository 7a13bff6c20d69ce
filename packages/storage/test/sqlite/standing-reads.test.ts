import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { StandingReads } from "../../src/database/sql/standing-reads.ts";
import { SqliteConnection } from "../../src/database/sqlite/connection.ts";

const LAST = "SELECT max(n) AS last FROM numbers";

describe("answers that hold until something is written", () => {
  test("are those of the database after each write, within a transaction and after it was given up", () => {
    const connection = new SqliteConnection(":memory:");
    connection.exec("CREATE TABLE numbers (n INTEGER)");
    const standing = new StandingReads(connection);
    const last = () => standing.getBig<{ last: bigint | null }>(LAST)?.last;
    const add = (n: number) => connection.run("INSERT INTO numbers (n) VALUES (?)", n);
    assert.equal(last(), null);
    add(1);
    assert.equal(last(), 1n);
    connection.begin();
    assert.equal(last(), 1n);
    add(2);
    assert.equal(last(), 2n);
    connection.rollBack();
    assert.equal(last(), 1n);
    connection.transaction(() => add(3));
    assert.equal(last(), 3n);
    connection.close();
  });

  test("are asked of the database once", () => {
    let asked = 0;
    const rowOf = <T>(): T => {
      asked += 1;
      return { last: 1n } as T;
    };
    let writes = 1;
    const standing = new StandingReads({
      getBig: rowOf,
      get writes() {
        return writes;
      },
    });
    standing.getBig(LAST);
    standing.getBig(LAST);
    assert.equal(asked, 1);
    writes = 2;
    standing.getBig(LAST);
    assert.equal(asked, 2);
  });
});
