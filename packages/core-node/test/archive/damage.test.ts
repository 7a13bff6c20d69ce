import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { SqliteConnection } from "@twentysix/storage";
import {
  aggregate,
  amend,
  evm,
  forget,
  grant,
  post,
  program,
  signed,
  solana,
  store,
  withEnvelope,
} from "../pipeline/support/signed.ts";
import { networkDefinition, StateHarness, testFile } from "../pipeline/support/state-harness.ts";
import { blobPath, folderOf, holdFiles, openContents, storedPost, verifyFolder } from "./support.ts";

const local = networkDefinition("local");
const owner = evm("owner");
const friend = solana("friend");
const T = 1_700_000_000;

const tagged = signed(owner, "POST", T, { type: "note", content: { body: "a", tags: ["t1", "t2"] } });
const amended = post(owner, T + 1, "amended");
const hidden = post(owner, T + 2, "hidden");
const file = store(owner, T + 3, testFile(0).hash, "site");
const machine = program(owner, T + 4, file.hash);
const long = storedPost(owner, T + 5, "long");
const waiting = store(owner, T + 6, "ab".repeat(32));
const delegated = post(friend, T + 7, "for the owner", { owner: owner.address });
const MESSAGES = [
  tagged,
  withEnvelope(tagged, { channel: "ELSE" }),
  amended,
  amend(owner, T + 2, amended.hash, "newer"),
  hidden,
  forget(owner, T + 3, [hidden.hash]),
  aggregate(owner, T, "profile", { name: "a", age: 1 }),
  aggregate(owner, T + 1, "profile", { age: 2 }),
  grant(owner, T, { address: friend.address }),
  delegated,
  file,
  machine,
  program(owner, T + 5, file.hash, machine.hash),
  long.message,
  waiting,
];

const idOf = (hash: string): string => `(SELECT id FROM items WHERE hash = x'${hash}')`;

interface Damage {
  readonly what: string;
  readonly sql?: string;
  readonly act?: (folder: string) => void | Promise<void>;
  /** A line of the report. */
  readonly found: RegExp;
}

const DAMAGES: readonly Damage[] = [
  {
    what: "a field of an aggregate",
    sql: "UPDATE aggregate_fields SET value = '3' WHERE field = 'age'",
    found: /^aggregate_fields: .*field age .*: value is 3, computed 2$/,
  },
  {
    what: "a counter of messages",
    sql: "UPDATE counters SET n = n + 1 WHERE dimension = 0",
    found: /^counters: dimension 0, .*: n is \d+, computed \d+$/,
  },
  {
    what: "a counter of queued messages",
    sql: "UPDATE counters SET n = n + 1 WHERE dimension = 1 AND a = 0",
    found: /^counters: items by status, 0: 2, counted 1$/,
  },
  {
    what: "a counter of queued copies",
    sql: "UPDATE counters SET n = n + 1 WHERE dimension = 14",
    found: /^counters: queued copies by type, 5: 2, counted 1$/,
  },
  {
    what: "the bytes that an owner stores",
    sql: "UPDATE counters SET n = n - 1 WHERE dimension = 16",
    found: /^counters: bytes of files by owner/,
  },
  {
    what: "the bytes of files in their grace period",
    sql: "INSERT OR REPLACE INTO counters (dimension, a, b, n) VALUES (18, 0, 0, 7)",
    found: /^counters: bytes of files in their grace period, 0: 7, counted \d+$/,
  },
  {
    what: "a leaf of the state tree",
    sql: `UPDATE items SET leaf = zeroblob(32) WHERE id = ${idOf(tagged.hash)}`,
    found: new RegExp(`^items: .*${tagged.hash}.*: leaf is 0+`),
  },
  {
    what: "a node of the state tree",
    sql: "UPDATE merkle_nodes SET digest = zeroblob(32) WHERE tree = 0",
    found: /^state root: is [0-9a-f]{64}, computed [0-9a-f]{64}$/,
  },
  {
    what: "a derived leaf",
    sql: "UPDATE derived_leaves SET digest = zeroblob(32)",
    found: /^derived_leaves: .*digest is 0+/,
  },
  {
    what: "a deleted copy",
    sql: `DELETE FROM copies WHERE item_id = ${idOf(amended.hash)}`,
    found: new RegExp(`^copies: message ${amended.hash} has none$`),
  },
  {
    what: "the served one of two copies, deleted",
    sql: `DELETE FROM copies WHERE id = (SELECT copy_id FROM messages WHERE id = ${idOf(tagged.hash)})`,
    found: new RegExp(`^copies: .*${tagged.hash}.*: served is`),
  },
  {
    what: "an envelope that was changed",
    sql: `UPDATE copies SET envelope = replace(envelope, 'hidden', 'hiding') WHERE item_id = ${idOf(amended.hash)};
      UPDATE copies SET envelope = replace(envelope, 'amended', 'mended') WHERE item_id = ${idOf(amended.hash)}`,
    found: new RegExp(`^copies: a copy of message ${amended.hash} does not verify`),
  },
  {
    what: "a copy under another message",
    sql: `UPDATE copies SET item_id = ${idOf(amended.hash)} WHERE item_id = ${idOf(file.hash)}`,
    found: new RegExp(`^copies: a copy of message ${amended.hash} is one of message ${file.hash}$`),
  },
  {
    what: "a completed content",
    sql: `UPDATE copies SET content = replace(content, 'long', 'lung') WHERE content IS NOT NULL`,
    found: new RegExp(`^copies: .*${long.message.hash}.*: content is`),
  },
  {
    what: "the time of a message",
    sql: `UPDATE messages SET time_us = time_us + 1 WHERE id = ${idOf(tagged.hash)}`,
    found: new RegExp(`^messages: .*${tagged.hash}.*: time_us is \\d+, computed \\d+$`),
  },
  {
    what: "a sender in the dictionary",
    sql: `UPDATE addresses SET address = '${friend.address.slice(0, -1)}x' WHERE address = '${friend.address}'`,
    found: new RegExp(`^messages: .*${delegated.hash}.*: sender_id is`),
  },
  {
    what: "a lower-case address",
    sql: "UPDATE addresses SET lower = 'nobody' WHERE id = 1",
    found: /^addresses: .*: lower is nobody$/,
  },
  {
    what: "a tag of a message",
    sql: `DELETE FROM message_tags WHERE message_id = ${idOf(tagged.hash)}`,
    found: new RegExp(`^message_tags: .*${tagged.hash}.* is missing$`),
  },
  {
    what: "a tag of a post",
    sql: "UPDATE post_tags SET updated_us = 1",
    found: /^post_tags: .*updated_us 1, .* does not follow from any message$/,
  },
  {
    what: "the version that is shown of a post",
    sql: "UPDATE posts SET current_id = id",
    found: new RegExp(`^posts: .*${amended.hash}.*: current_id is`),
  },
  { what: "an amend", sql: "DELETE FROM amends", found: /^amends: .* is missing$/ },
  {
    what: "the first element of an aggregate",
    sql: "UPDATE aggregates SET first_id = last_id",
    found: /^aggregates: .*first_id is/,
  },
  { what: "an element", sql: "DELETE FROM aggregate_elements", found: /^aggregate_elements: .* is missing$/ },
  { what: "a named file", sql: "UPDATE file_tags SET item_id = 1", found: /^file_tags: .*item_id is 1/ },
  { what: "a virtual machine", sql: "UPDATE vms SET allow_amend = 0", found: /^vms: .*allow_amend is 0/ },
  { what: "a reference of one", sql: "DELETE FROM vm_refs", found: /^vm_refs: .* is missing$/ },
  { what: "a pin", sql: "DELETE FROM pins WHERE kind = 1", found: /^pins: .* is missing$/ },
  {
    what: "who relies on a delegation",
    sql: "DELETE FROM delegated_uses",
    found: new RegExp(`^delegated_uses: .*${delegated.hash}.* is missing$`),
  },
  {
    what: "which FORGET hid a message",
    sql: "DELETE FROM forgets",
    found: new RegExp(`^forgets: .*${hidden.hash}.* is missing$`),
  },
  {
    what: "what is kept of a forgotten message",
    sql: "DELETE FROM forgotten",
    found: new RegExp(`^forgotten: ${hidden.hash} is forgotten and what is kept of it is missing$`),
  },
  {
    what: "a message hidden without a FORGET",
    sql: `UPDATE items SET status = 3 WHERE id = ${idOf(tagged.hash)}; DELETE FROM messages WHERE id = ${idOf(tagged.hash)}`,
    found: new RegExp(`^forgotten: ${tagged.hash} is forgotten and no FORGET says so`),
  },
  {
    what: "the log",
    sql: `DELETE FROM events WHERE item_id = ${idOf(amended.hash)}`,
    found: new RegExp(`^messages: ${amended.hash} is stored as processed, computed as pending$`),
  },
  {
    what: "a grant that was never given",
    sql: `UPDATE events SET kind = 0 WHERE item_id IN (SELECT id FROM aggregate_elements WHERE key_id =
      (SELECT id FROM labels WHERE label = 'security'))`,
    found: new RegExp(
      `^messages: ${delegated.hash} is stored as processed, computed as rejected \\(Permission`,
    ),
  },
  {
    what: "a queued copy",
    sql: "DELETE FROM candidates",
    found: new RegExp(`^items: ${waiting.hash} is pending and nothing is queued for it$`),
  },
  {
    what: "a queued envelope",
    sql: "UPDATE candidates SET envelope = replace(envelope, 'STORE', 'POST')",
    found: new RegExp(`^candidates: a queued copy of ${waiting.hash} does not verify`),
  },
  {
    what: "a registered file in the journal of deletions",
    sql: `INSERT INTO file_deletions (hash, size, due_us) VALUES (x'${testFile(1).hash}', 1, 0)`,
    found: new RegExp(`^file_deletions: ${testFile(1).hash} is registered and its bytes are to be removed$`),
  },
  {
    what: "the record of a file that a message pins",
    sql: `DELETE FROM files WHERE hash = x'${testFile(0).hash}'`,
    found: new RegExp(`^pins: ${file.hash} pins a file that is not registered$`),
  },
  {
    what: "the size of a file",
    sql: "UPDATE files SET size = size + 1 WHERE type = 0",
    found: /^files: .*: size is/,
  },
  {
    what: "the size of a directory",
    sql: "UPDATE files SET size = 1 WHERE type = 1",
    found: /^files: .*: size is 1,/,
  },
  {
    what: "the second name of a file",
    sql: "UPDATE files SET cid = (SELECT cid FROM files WHERE id = 1) WHERE id = 2",
    found: /^files: .*: cid is ba/,
  },
  {
    what: "a flipped byte in a file",
    act: (folder) => {
      const path = blobPath(folder, testFile(1).hash);
      const bytes = readFileSync(path);
      bytes[3] = (bytes[3] ?? 0) ^ 1;
      writeFileSync(path, bytes);
    },
    found: new RegExp(`^files: ${testFile(1).hash}`),
  },
  {
    what: "a shortened file",
    act: (folder) => truncateSync(blobPath(folder, testFile(1).hash), 2),
    found: new RegExp(`^files: ${testFile(1).hash}`),
  },
  {
    what: "a lost file",
    act: (folder) => rmSync(blobPath(folder, testFile(2).hash)),
    found: new RegExp(`^files: ${testFile(2).hash} is registered as held and is missing$`),
  },
  {
    what: "a lost content",
    act: (folder) => rmSync(blobPath(folder, long.message.hash)),
    found: new RegExp(`^copies: a copy of message ${long.message.hash} has no content`),
  },
  {
    what: "a lost directory",
    act: async (folder) => {
      await using contents = await openContents(folder);
      for await (const root of dagRoots(folder)) await contents.remove(root);
    },
    found: /^files: (bafy|Qm)\w+ is registered as held and is missing$/,
  },
  {
    what: "an index of the database",
    act: (folder) => {
      const path = join(folder, "messages.sqlite");
      const database = new SqliteConnection(path);
      database.exec("PRAGMA wal_checkpoint(truncate)");
      const page = database.get<{ rootpage: number }>(
        "SELECT rootpage FROM sqlite_schema WHERE name = 'copies_item'",
      );
      const { page_size: pageBytes = 0 } = database.get<{ page_size: number }>("PRAGMA page_size") ?? {};
      database.close();
      const bytes = readFileSync(path);
      bytes.fill(0x55, ((page?.rootpage ?? 0) - 1) * pageBytes + 8, (page?.rootpage ?? 0) * pageBytes);
      writeFileSync(path, bytes);
    },
    found: /^database: /,
  },
];

function* dagRoots(folder: string): Generator<string> {
  const index = new SqliteConnection(join(folder, "contents", "index.sqlite"));
  const rows = index.all<{ root: string }>("SELECT root FROM dag");
  index.close();
  for (const { root } of rows) yield root;
}

describe("verify says what is wrong", () => {
  const folder = mkdtempSync(join(tmpdir(), "twentysix-damage-"));
  const sound = join(folder, "sound");

  before(async () => {
    await using node = await StateHarness.open(local);
    await holdFiles(node, [long.content]);
    await node.submit(...MESSAGES.map((message) => message.text));
    for (let round = 0; round < 5; round += 1) {
      node.nowMicros += 400_000_000n;
      await node.submit(post(owner, T + 100 + round, "time goes by").text);
    }
    node.root();
    node.store.checkpoint("truncate");
    cpSync(folderOf(node), sound, { recursive: true });
  });
  after(() => rmSync(folder, { recursive: true }));

  test("and nothing when all is well", async () => {
    const report = await verifyFolder(sound, local);
    assert.deepEqual(report.problems, []);
    assert.equal(report.ok, true);
  });

  for (const { what, sql, act, found } of DAMAGES) {
    test(`about ${what}`, async () => {
      const damaged = mkdtempSync(join(folder, "damaged-"));
      cpSync(sound, damaged, { recursive: true });
      if (sql !== undefined) {
        const database = new SqliteConnection(join(damaged, "messages.sqlite"));
        database.exec(sql);
        database.close();
      }
      await act?.(damaged);
      const report = await verifyFolder(damaged, local);
      assert.equal(report.ok, false);
      const told = report.problems.some((problem) => found.test(problem));
      assert.ok(told, `nothing like ${found} among\n${report.problems.join("\n")}`);
    });
  }
});
