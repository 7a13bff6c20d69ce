import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { SqliteConnection } from "@twentysix/storage";
import { writeNetwork } from "../support/network-file.ts";
import {
  getJson,
  type HttpAnswer,
  post,
  rawAccount,
  type SignedText,
  signRaw,
} from "../support/raw-messages.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { startTestNode } from "../support/test-node.ts";

const account = rawAccount("limits");
const ROUTE = "/api/v0/messages";
const FRAME_BYTES = 900;
const folder = temporaryFolder("limits");
const dataDir = join(folder.path, "data");

/** The limits of this network are all unlike those of the shipped ones. */
const network = writeNetwork(folder.path, "local", {
  limits: {
    itemContentCharacters: 300,
    channelCharacters: 5,
    gossipFrameBytes: FRAME_BYTES,
    storedContentBytes: 400,
    messageRetries: 0,
    gracePeriodSeconds: 3_600,
  },
});
const node = await startTestNode({ network, dataDir });
after(async () => {
  await node.remove();
  folder[Symbol.dispose]();
});

const submit = (envelope: string): Promise<HttpAnswer> =>
  post(node, ROUTE, `{"sync":true,"message":${envelope}}`);
/** What no client of this node submits. */
const OTHER_SOURCES = ["p2p", "ipfs", "import", "onchain"] as const;
const fromSource = ({ envelope }: SignedText, origin: (typeof OTHER_SOURCES)[number]) =>
  node.core.pipeline.submit(envelope, { origin });

const note = (body: string, channel = "RAW"): Promise<SignedText> =>
  signRaw({ account, type: "POST", channel, members: `"type":"note","content":"${body}"` });

interface Refusal {
  readonly error_code: number;
  readonly details: readonly { readonly loc: readonly string[]; readonly msg: string }[];
}

async function refusalOf({ envelope }: SignedText): Promise<Refusal> {
  const answer = await submit(envelope);
  assert.equal(answer.status, 422, answer.text);
  return JSON.parse(answer.text) as Refusal;
}

describe("a node of a network with other limits", () => {
  test("refuses a longer item_content, counted in code points, from whichever source", async () => {
    const characters = [...(await note("")).content].length;
    const most = await note("\u{1f30d}".repeat(20) + "x".repeat(280 - characters));
    assert.ok(most.content.length > 300);
    assert.equal((await submit(most.envelope)).status, 200);
    const tooLong = await note("x".repeat(301 - characters));
    const { error_code: code, details } = await refusalOf(tooLong);
    assert.equal(code, 0);
    assert.deepEqual(details[0]?.loc, ["item_content"]);
    assert.equal(details[0]?.msg, "String should have at most 300 characters");
    for (const origin of OTHER_SOURCES) {
      const { status, errorCode } = await fromSource(tooLong, origin);
      assert.deepEqual([status, errorCode], ["rejected", 0], origin);
    }
  });

  test("gives a message that waits for another up at the first failure", async () => {
    const members = `"type":"amend","ref":"${"ab".repeat(32)}","content":{}`;
    const amend = await signRaw({ account, type: "POST", members });
    const answer = JSON.parse((await submit(amend.envelope)).text) as Record<string, unknown>;
    assert.deepEqual([answer.message_status, answer.error_code], ["rejected", 101]);
    const view = await getJson(node, `${ROUTE}/${amend.itemHash}`);
    assert.deepEqual([view.status, view.error_code], ["rejected", 101]);
  });

  for (const [sizeBytes, expected] of [
    [399, "processed"],
    [400, "pending"],
  ] as const) {
    test(`content of ${sizeBytes} bytes that is not inline: ${expected}`, async () => {
      const start = `{"address":"${account.address}","content":"`;
      const end = `","time":1700000000.5,"type":"t"}`;
      const content = `${start}${"y".repeat(sizeBytes - start.length - end.length)}${end}`;
      await post(node, "/api/v0/storage/add_json", content);
      const itemHash = createHash("sha256").update(content).digest("hex");
      const signature = await account.sign({ type: "POST", itemHash, timeMicros: 1_700_000_000_500_000n });
      const signed = { chain: "ETH", sender: account.address, type: "POST", item_hash: itemHash, signature };
      const message = { ...signed, item_type: "storage", time: 1700000000.5 };
      const answer = await post(node, ROUTE, JSON.stringify({ sync: true, timeout: 0.2, message }));
      assert.equal((JSON.parse(answer.text) as { message_status: string }).message_status, expected);
    });
  }

  test("keeps a file that nothing refers to as long as the network says", async () => {
    const beforeMs = Date.now();
    const uploaded = await post(node, "/api/v0/storage/add_json", '{"kept":1}');
    const { hash } = JSON.parse(uploaded.text) as { hash: string };
    const database = new SqliteConnection(join(dataDir, "core", "messages.sqlite"), { readOnly: true });
    const pin = database.get<{ until: number }>(
      "SELECT delete_by_us AS until FROM pins p JOIN files f ON f.id = p.file_id WHERE f.hash = ? AND p.kind = 3",
      Buffer.from(hash, "hex"),
    );
    database.close();
    const keptMs = (pin?.until ?? 0) / 1_000 - beforeMs;
    assert.ok(keptMs >= 3_600_000 && keptMs < 3_700_000, `${keptMs} ms`);
  });
});

describe("a submit endpoint of that network", () => {
  test("refuses a longer channel, which other sources may bring", async () => {
    assert.equal((await submit((await note("five", "ABCDE")).envelope)).status, 200);
    const globes = await note("five code points, ten UTF-16 units", "\u{1f30d}".repeat(5));
    assert.equal((await submit(globes.envelope)).status, 200);
    const longer = await note("six", "ABCDEF");
    const { error_code: code, details } = await refusalOf(longer);
    assert.equal(code, 0);
    assert.deepEqual(details[0]?.loc, ["channel"]);
    assert.equal(details[0]?.msg, "String should have at most 5 characters");
    for (const origin of OTHER_SOURCES) {
      const brought = await note(`six by ${origin}`, "ABCDEF");
      assert.equal((await fromSource(brought, origin)).status, "processed", origin);
    }
    assert.equal((await fromSource(longer, "import")).status, "processed", "which was refused before");
    assert.equal((await getJson(node, `${ROUTE}/${longer.itemHash}`)).status, "processed");
  });

  test("refuses an envelope that no frame holds, which other sources may bring", async () => {
    // The envelope is written as it would be sent, so its bytes are those of the frame.
    const snow = "\u2603".repeat(120);
    const room = FRAME_BYTES - Buffer.byteLength((await note(snow)).envelope);
    const most = await note(snow + "x".repeat(room));
    assert.equal(Buffer.byteLength(most.envelope), FRAME_BYTES);
    const spaced = most.envelope.replace('"chain":', `"chain":${" ".repeat(500)}`);
    const taken = await submit(spaced);
    assert.equal(taken.status, 200, `the space around members is not sent on: ${taken.text}`);
    const tooLong = await note(snow + "x".repeat(room + 1));
    const { error_code: code, details } = await refusalOf(tooLong);
    assert.equal(code, 0);
    assert.deepEqual(details[0]?.loc, ["item_content"]);
    assert.match(
      details[0]?.msg ?? "",
      /901 bytes .* at most 900: upload the content as a file and reference it$/,
    );
    assert.equal((await fromSource(tooLong, "onchain")).status, "processed");
    for (const origin of OTHER_SOURCES) {
      const brought = await note(`${snow}${"x".repeat(room + 1)}${origin}`);
      assert.ok(Buffer.byteLength(brought.envelope) > FRAME_BYTES);
      assert.equal((await fromSource(brought, origin)).status, "processed", origin);
    }
  });

  test("holds the message of an upload against the same limits before it keeps anything", async () => {
    const file = Buffer.from("a file under a long channel");
    const fileHash = createHash("sha256").update(file).digest("hex");
    const members = `"item_type":"storage","item_hash":"${fileHash}"`;
    const { envelope } = await signRaw({ account, type: "STORE", channel: "ABCDEF", members });
    const body = new FormData();
    body.append("metadata", `{"message":${envelope},"sync":true}`);
    body.append("file", new Blob([file]));
    const answer = await fetch(`${node.apiUrl}/api/v0/storage/add_file`, { method: "POST", body });
    assert.equal(answer.status, 422);
    assert.match(await answer.text(), /at most 5 characters/);
    assert.equal((await fetch(`${node.apiUrl}/api/v0/storage/raw/${fileHash}`)).status, 404);
  });
});
