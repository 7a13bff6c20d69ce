import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { encodeItemHash } from "@twentysix/protocol";
import { FileLedger, openConnection } from "../../src/index.ts";
import { MessageStore } from "../../src/writer.ts";

const hashOf = (text: string): string => createHash("sha256").update(text).digest("hex");
const cidOf = (text: string): string => `bafkrei${text.padEnd(52, "a")}`;
const naming = (seed: string) => ({
  dataShards: 2,
  totalShards: 3,
  codedBytes: 1_000,
  shards: ["a", "b", "c"].map((one) => ({ sha256: hashOf(`${seed}${one}`), cid: cidOf(`${seed}${one}`) })),
});

/** What is written down of shards and of faults, on a database of either engine. */
export function checkShardRecords(path: string): void {
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
    const name = hashOf("file");
    const file = {
      hash: name,
      sizeBytes: 1_000,
      type: "file",
      sha256: encodeItemHash(name),
      cid: null,
    } as const;
    written(() => store.registerFile(file, 5_000_000n, 1n));
    const file1 = (): number =>
      connection.get<{ id: number }>("SELECT id FROM files WHERE hash = ?", encodeItemHash(name))?.id ?? 0;
    // As a STORE does.
    connection.run("INSERT INTO pins (file_id, kind, created_us) VALUES (?, 1, 1)", file1());
    const kept = () => {
      const record = ledger.keptFile(name);
      assert.ok(record !== null);
      return record;
    };
    assert.equal(kept().coding, null);
    written(() => store.noteFiles({ kind: "coded", name, ...naming("x") }, 2n));
    written(() => store.noteFiles({ kind: "shards", name, held: [1], dropped: [] }, 3n));
    const proofs = [{ name, position: 0, peerId: "peer 1", provenMicros: 7n }];
    written(() => store.noteFiles({ kind: "proofs", proofs }, 4n));
    // The same again changes nothing.
    written(() => store.noteFiles({ kind: "coded", name, ...naming("x") }, 5n));
    const { coding } = kept();
    assert.deepEqual([coding?.dataShards, coding?.totalShards, coding?.codedBytes], [2, 3, 1_000]);
    assert.deepEqual(
      coding?.shards.map(({ isHeld }) => isHeld),
      [false, true, false],
    );
    assert.deepEqual(coding?.shards[0]?.proofs, [{ peerId: "peer 1", provenMicros: 7n }]);
    assert.deepEqual(
      [cidOf("xa"), cidOf("xb")].map((root) => ledger.heldAs(name, root)),
      [name, cidOf("xb")],
    );
    assert.equal(ledger.isRegistered(cidOf("xb")), true);
    assert.equal(ledger.isRegistered(hashOf("xb")), true);
    assert.equal(ledger.isRegistered(hashOf("xa")), false);
    const gone = [{ name, position: 0, peerId: "peer 1", provenMicros: null }];
    written(() => store.noteFiles({ kind: "proofs", proofs: gone }, 6n));
    assert.deepEqual(kept().coding?.shards[0]?.proofs, []);

    const due = (): string[] => ledger.dueDeletions(100n, 10).map((one) => one.name);
    written(() => store.noteFiles({ kind: "shards", name, held: [2], dropped: [1] }, 8n));
    assert.deepEqual(due(), [cidOf("xb")]);
    written(() => store.noteFiles({ kind: "shards", name, held: [1], dropped: [] }, 9n));
    assert.deepEqual(due(), []);
    written(() => store.noteFiles({ kind: "damaged", names: [hashOf("xc")], damage: "corrupt" }, 10n));
    assert.deepEqual(due(), [cidOf("xc")]);
    written(() => store.noteFiles({ kind: "coded", name, ...naming("y"), codedBytes: 1_001 }, 11n));
    assert.deepEqual(due().sort(), [cidOf("xb"), cidOf("xc")]);
    assert.ok(kept().coding?.shards.every(({ isHeld }) => !isHeld));

    const fault = { peerId: "peer 2", kind: "false-claim", file: name, atMicros: 12n, evidence: "{}" };
    written(() => store.noteFiles({ kind: "fault", fault }, 12n));
    written(() => store.noteFiles({ kind: "fault", fault: { ...fault, file: null } }, 13n));
    assert.deepEqual(ledger.peerFaults(name, 5), [fault]);
    assert.equal(ledger.peerFaults(null, 5).length, 2);
    const heavy = { ...fault, file: null, evidence: JSON.stringify("e".repeat(9 * 1024 * 1024)) };
    for (let index = 0; index < 9; index += 1)
      written(() => store.noteFiles({ kind: "fault", fault: { ...heavy, peerId: `peer ${index}` } }, 14n));
    assert.deepEqual(
      ledger.peerFaults(null, 20).map(({ peerId }) => peerId),
      [8, 7, 6, 5, 4, 3, 2].map((index) => `peer ${index}`),
      "64 MiB of evidence are kept",
    );
  } finally {
    connection.close();
    store.close();
  }
}
