import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { encodeItemHash } from "@twentysix/protocol";
import { FileLedger, openConnection } from "../../src/index.ts";
import { MessageStore } from "../../src/writer.ts";

const hashOf = (text: string): string => createHash("sha256").update(text).digest("hex");

/** What is wanted of peers comes in turn, on a database of either engine. */
export function checkWantedFiles(path: string): void {
  const store = new MessageStore({ path, readElementFields: () => [] });
  const connection = openConnection(path);
  try {
    const ledger = new FileLedger(connection);
    const written = (change: () => void): void => {
      store.begin();
      change();
      store.finish();
      store.commit();
    };
    const wait = (id: number, key: string): void => {
      connection.run(
        "INSERT INTO candidates (id, item_id, identity, envelope, sender_id, origin, reception_us, attempts) VALUES (?, 1, ?, '{}', 1, 0, 1, 0)",
        id,
        Buffer.from(String(id)),
      );
      connection.run("INSERT INTO waits (key, candidate_id) VALUES (?, ?)", key, id);
    };
    for (let id = 1; id <= 5; id += 1) wait(id, `file:${9 - id}`);
    wait(6, "item:x");
    wait(7, "file:a");
    const damagedNames = ["one", "two", "three"].map(hashOf);
    for (const name of damagedNames) {
      const file = {
        hash: name,
        sizeBytes: 1,
        type: "file",
        sha256: encodeItemHash(name),
        cid: null,
      } as const;
      written(() => store.registerFile(file, 5_000_000n, null));
    }
    written(() => store.noteFiles({ kind: "damaged", names: damagedNames, damage: "missing" }, 2n));

    const seen: string[] = [];
    let turn = { waiting: 0, damaged: 0 };
    for (let look = 0; look < 4; look += 1) {
      const { latest, waiting, damaged } = ledger.wantedFiles(turn, 2);
      assert.deepEqual(
        latest.map(({ name }) => name),
        ["a"],
        "of the two last one waits for a file",
      );
      seen.push(...waiting.files.map(({ name }) => name));
      if (look < 2) seen.push(...damaged.files.map(({ name, damage }) => `${name} ${damage}`));
      turn = { waiting: waiting.next, damaged: damaged.next };
    }
    assert.deepEqual(turn, { waiting: 0, damaged: 0 }, "and then from the beginning");
    assert.deepEqual(
      seen.sort(),
      ["4", "5", "6", "7", "8", "a", ...damagedNames.map((name) => `${name} missing`)].sort(),
    );
    assert.equal(ledger.wantedFiles({ waiting: 2, damaged: 0 }, 1).waiting.files[0]?.at, 3);
  } finally {
    connection.close();
    store.close();
  }
}
