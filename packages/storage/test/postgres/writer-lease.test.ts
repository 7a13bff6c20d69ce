import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout } from "node:timers/promises";
import { createSystemClock } from "@twentysix/platform";
import { openConnection } from "@twentysix/storage";
import { MessageStore, openWhenFree } from "@twentysix/storage/writer";
import { postgresDatabase, withoutPostgres } from "./on-postgres.ts";

const open = (path: string): MessageStore => new MessageStore({ path, readElementFields: () => [] });

function write(store: MessageStore, n: number): void {
  store.begin();
  try {
    store.session.addresses.intern(`0x${n}`);
    store.finish();
    store.commit();
  } catch (error) {
    store.rollBack();
    throw error;
  }
}

describe("the right to write onPostgres", { skip: withoutPostgres }, () => {
  it("goes to a standby once the session of the writer has ended, however it did", async (t) => {
    const url = postgresDatabase();
    const first = open(url);
    t.after(() => first.close());
    let pauses = 0;
    const pause = async (): Promise<void> => {
      pauses += 1;
      if (pauses < 3) return write(first, pauses);
      endWriters(url);
    };
    const database = await openWhenFree({ path: url }, { pause });
    const second = new MessageStore({ path: url, database, readElementFields: () => [] });
    t.after(() => second.close());
    assert.ok(pauses >= 3);
    assert.throws(() => write(first, 9), { code: "DATABASE_LOST" });
    write(second, 10);
    assert.deepEqual(addresses(url), ["0x1", "0x10", "0x2"]);
  });

  it("goes to a standby when the writer shows no life, and not while it does", async (t) => {
    const url = postgresDatabase();
    const stopped = open(url);
    t.after(() => stopped.close());
    write(stopped, 1);
    stopped.begin();
    stopped.session.addresses.intern("0x2");
    stopped.session.connection.get("SELECT 1 AS one");
    // Much longer than a busy machine holds a process up.
    const stoppedAfterMs = 4_000;
    const clock = createSystemClock();
    let shownAtMs = clock.monotonicMs();
    let signs = 5;
    let endings = 0;
    const pause = async (): Promise<void> => {
      if (signs === 0) return setTimeout(50);
      signs -= 1;
      assert.equal(endings, 0);
      await setTimeout(stoppedAfterMs / 20);
      stopped.showLife();
      shownAtMs = clock.monotonicMs();
    };
    const onStopped = (): void => {
      endings += 1;
    };
    const database = await openWhenFree({ path: url }, { pause, onStopped, stoppedAfterMs });
    assert.equal(endings, 1);
    assert.ok(clock.monotonicMs() - shownAtMs >= stoppedAfterMs);
    const standby = new MessageStore({ path: url, database, readElementFields: () => [] });
    t.after(() => standby.close());
    assert.throws(() => stopped.session.connection.get("SELECT 1 AS one"), { code: "DATABASE_LOST" });
    write(standby, 3);
    assert.deepEqual(addresses(url), ["0x1", "0x3"]);
  });

  it("is taken from a writer that slept while another one took over, at the beginning of its transaction too", (t) => {
    const url = postgresDatabase();
    const sleeper = open(url);
    t.after(() => sleeper.close());
    write(sleeper, 1);
    sleeper.begin();
    const operator = openConnection(url);
    t.after(() => operator.close());
    // Nothing was sent yet of the transaction that is open; the other one comes first.
    operator.run("UPDATE writer_epoch SET epoch = epoch + 1");
    assert.throws(() => sleeper.session.addresses.intern("0x2"), { code: "DATABASE_TAKEN_OVER" });
    sleeper.rollBack();
    assert.throws(() => write(sleeper, 3), { code: "DATABASE_TAKEN_OVER" });
    const single = (): void =>
      void sleeper.session.connection.run("INSERT INTO meta (key, value) VALUES ('sleeper', 'was here')");
    assert.throws(single, { code: "DATABASE_TAKEN_OVER" });
    assert.deepEqual(addresses(url), ["0x1"]);
  });

  it("makes whoever takes over wait for a transaction that was there first", async (t) => {
    const url = postgresDatabase();
    const writer = open(url);
    t.after(() => writer.close());
    writer.begin();
    writer.session.addresses.intern("0x1");
    assert.equal(writer.session.connection.get("SELECT 1 AS one")?.one, 1);
    const operator = openConnection(url);
    t.after(() => operator.close());
    operator.exec("SET lock_timeout = 100");
    assert.throws(() => operator.run("UPDATE writer_epoch SET epoch = epoch + 1"), { sqlState: "55P03" });
    writer.finish();
    writer.commit();
    assert.equal(operator.run("UPDATE writer_epoch SET epoch = epoch + 1").changes, 1);
  });
});

function addresses(url: string): string[] {
  const connection = openConnection(url, { readOnly: true });
  const rows = connection.all<{ address: string }>("SELECT address FROM addresses ORDER BY address");
  connection.close();
  return rows.map(({ address }) => address);
}

/** As when their processes or machines are gone. */
function endWriters(url: string): void {
  const operator = openConnection(url);
  operator.all(
    "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
  );
  operator.close();
}
