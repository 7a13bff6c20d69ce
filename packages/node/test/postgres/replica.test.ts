import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { postgresDatabase, withoutPostgres } from "@twentysix/storage/test-postgres";
import { runCommand, startNode } from "../support/node-process.ts";
import { get, post, putRaw, rawAccount, signRaw } from "../support/raw-messages.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { startTestNode } from "../support/test-node.ts";
import { openFrames } from "../support/text-frames.ts";

const account = rawAccount("replica");
const note = (n: number) => ({
  account,
  type: "POST" as const,
  members: `"type":"note","content":{"n":${n}}`,
});

describe("a replica onPostgres", { skip: withoutPostgres }, () => {
  test("serves reads and websockets of what the writer writes, and refuses writes with the reason", async (t) => {
    using folder = temporaryFolder("replica");
    const database = postgresDatabase();
    const writer = await startTestNode({ database });
    t.after(() => writer.remove());
    const before = await putRaw(writer, note(1));
    const flags = ["--roles", "api", "--database", database];
    await using replica = await startNode(folder.path, { flags });
    const socketsUrl = replica.apiUrl.replace("http", "ws");
    await using frames = await openFrames(`${socketsUrl}/api/ws0/messages?history=1`);
    assert.equal(JSON.parse(await frames.next()).item_hash, before.itemHash);

    const awaited = await signRaw(note(2));
    await using outcome = await openFrames(`${socketsUrl}/api/ws0/message/${awaited.itemHash}`);
    await putRaw(writer, note(2));
    // What was acknowledged by the one is read from the other at once.
    const path = `/api/v0/messages/${awaited.itemHash}`;
    const [written, served] = await Promise.all([get(writer, path), get(replica, path)]);
    assert.equal(served.status, 200);
    assert.equal(served.text, written.text);
    assert.equal(JSON.parse(await frames.next()).item_hash, awaited.itemHash);
    assert.equal(JSON.parse(await outcome.next()).status, "processed");
    assert.equal(JSON.parse((await get(replica, "/api/v0/messages.json")).text).messages.length, 2);

    const refused = await signRaw(note(3));
    const answer = await post(replica, "/api/v0/messages", `{"sync":true,"message":${refused.envelope}}`);
    assert.equal(answer.status, 503, answer.text);
    assert.equal(JSON.parse(answer.text).error.code, "API_READ_ONLY");
    assert.match(answer.text, /replica that only reads/);
    const upload = await post(replica, "/api/v0/storage/add_json", '{"a":1}');
    assert.equal(upload.status, 503, upload.text);
    assert.equal((await get(replica, "/api/v1/state-root")).status, 503);
    const held = await post(writer, "/api/v0/storage/add_json", '{"a":1}');
    const file = `/api/v0/storage/raw/${(JSON.parse(held.text) as { hash: string }).hash}`;
    assert.equal((await get(writer, file)).text, '{"a":1}');
    assert.equal(
      (await get(replica, file)).status,
      503,
      "that the bytes are not here says nothing of the file",
    );

    await writer.stop();
    assert.equal((await get(replica, path)).text, served.text, "reads go on without the writer");
    assert.deepEqual(await replica.stop(), { exitCode: 0, signal: null });
  });

  test("says what is missing when it cannot serve", async () => {
    using folder = temporaryFolder("replica");
    const common = ["node", "--data-dir", folder.path, "--api-port", "0", "--roles", "api"];
    const alone = await runCommand(common);
    assert.equal(alone.exitCode, 2);
    assert.match(alone.stderr, /--roles: the role api needs the --database of another node/);
    const empty = await runCommand([...common, "--database", postgresDatabase()]);
    assert.notEqual(empty.exitCode, 0);
    assert.match(empty.stderr, /start a node of this version that writes to it first/);
  });
});
