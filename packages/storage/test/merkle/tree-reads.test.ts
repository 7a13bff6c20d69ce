import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { openConnection, type SqlConnection } from "@twentysix/storage";
import { TreeReads } from "@twentysix/storage/reader";
import { migrate, StateTree } from "@twentysix/storage/writer";
import { postgresDatabase, withoutPostgres } from "../postgres/on-postgres.ts";

const digestOf = (text: string): Buffer => createHash("sha256").update(text).digest();
const keyOf = (n: number): string => digestOf(`key ${n}`).toString("hex");
const leafOf = (n: number): string => digestOf(`leaf ${n}`).toString("hex");

const PROCESSED = 1;
const FORGOTTEN = 3;
const EVENT = { received: 0, processed: 2, forgotten: 6 } as const;

/** Items with one event each, and what the trees are to say of them. */
function fill(connection: SqlConnection, from: number, to: number, status = PROCESSED): void {
  const kind = status === FORGOTTEN ? EVENT.forgotten : EVENT.processed;
  connection.transaction(() => {
    for (let n = from; n < to; n += 1) {
      connection.run(
        "INSERT INTO items (hash, id, status, reception_us, leaf) VALUES (?, ?, ?, ?, ?)",
        Buffer.from(keyOf(n), "hex"),
        n + 1,
        status,
        0,
        Buffer.from(leafOf(n), "hex"),
      );
      event(connection, n, EVENT.received);
      event(connection, n, kind);
    }
  });
}

let lastSeq = 0;
function event(connection: SqlConnection, n: number, kind: number): void {
  lastSeq += 1;
  connection.run("INSERT INTO events (seq, item_id, kind, at_us) VALUES (?, ?, ?, 0)", lastSeq, n + 1, kind);
}

function suite(open: () => SqlConnection): void {
  it("tells of ranges down to their leaves", () => {
    const connection = open();
    fill(connection, 0, 300);
    const root = new StateTree(connection, null).root();
    const reads = new TreeReads(connection, 256);
    const state = reads.state();
    assert.deepEqual([state.count, state.treeSeq, state.lastSeq], [root.count, lastSeq, lastSeq]);
    const [whole] = reads.ranges([""]);
    assert.ok(whole?.kind === "inner");
    const told = new Set<string>();
    for (const [nibble, child] of whole.children.entries()) {
      const prefix = nibble.toString(16);
      const [range] = reads.ranges([prefix]);
      assert.equal(child === null, range?.kind === "none");
      if (range?.kind !== "leaves") continue;
      assert.deepEqual(reads.leavesWithin([prefix]), [range.leaves]);
      for (const { key, digest } of range.leaves) {
        assert.ok(key.startsWith(prefix));
        told.add(`${key} ${digest}`);
      }
    }
    assert.deepEqual(
      [...told].sort(),
      Array.from({ length: 300 }, (_, n) => `${keyOf(n)} ${leafOf(n)}`).sort(),
    );
    assert.deepEqual(reads.digests([keyOf(7), keyOf(9_999)]), [leafOf(7), null]);
    assert.deepEqual(reads.statuses([keyOf(7), keyOf(9_999)]), ["processed", null]);
    connection.close();
  });

  it("says so where more poured in than it has summed up", () => {
    const connection = open();
    fill(connection, 0, 300);
    const reads = new TreeReads(connection, 256);
    assert.deepEqual(reads.ranges([""]), [{ kind: "unready" }]);
    new StateTree(connection, null).root();
    assert.equal(reads.ranges([""])[0]?.kind, "inner");
    connection.close();
  });

  it("tells the log in parts, each message once where it was processed or forgotten", () => {
    const connection = open();
    const first = lastSeq;
    fill(connection, 0, 20);
    fill(connection, 20, 25, FORGOTTEN);
    // One that was forgotten later: it stands where that happened.
    event(connection, 3, EVENT.forgotten);
    connection.run("UPDATE items SET status = 3 WHERE id = 4");
    const reads = new TreeReads(connection, 256);
    const keys: string[] = [];
    for (let after = first; ; ) {
      const part = reads.log(after, 4);
      assert.ok(part.leaves.length <= 4);
      keys.push(...part.leaves.map(({ key }) => key));
      if (part.isEnd) break;
      assert.ok(part.nextSeq > after);
      after = part.nextSeq;
    }
    const order = [...Array.from({ length: 25 }, (_, n) => n).filter((n) => n !== 3), 3];
    assert.deepEqual(keys, order.map(keyOf));
    connection.close();
  });
}

describe("reads of the messages tree", () => {
  suite(() => {
    const connection = openConnection(":memory:");
    migrate(connection);
    return connection;
  });
});

describe("reads of the messages tree onPostgres", { skip: withoutPostgres }, () => {
  suite(() => {
    const connection = openConnection(postgresDatabase());
    migrate(connection);
    return connection;
  });
});
