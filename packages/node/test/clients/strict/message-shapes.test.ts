import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { MessageType } from "@twentysix/protocol";
import { giveCredits } from "../../support/funds.ts";
import { getJson, post, putRaw, rawAccount, type SignedText, signRaw } from "../../support/raw-messages.ts";
import { startTestNode } from "../../support/test-node.ts";
import { openFrames } from "../../support/text-frames.ts";

type Item = Record<string, unknown>;

/** The Python models refuse a message with any other key. */
const LIST_KEYS =
  "channel chain confirmations confirmed content item_content item_hash item_type sender signature size time type";
const FORGOTTEN_KEYS =
  "chain channel forgotten_at forgotten_by item_hash item_type owner payment_type sender signature size status time type";

const node = await startTestNode();
after(() => node.remove());

const account = rawAccount("shapes");
const fileBytes = "a file that messages refer to";
const sent = new Map<MessageType, SignedText>();

function keysOf(value: unknown): string {
  return Object.keys(value as object)
    .sort()
    .join(" ");
}

function sorted(keys: string): string {
  return keys.split(" ").sort().join(" ");
}

function hashOf(type: MessageType): string {
  const message = sent.get(type);
  assert.ok(message !== undefined);
  return message.itemHash;
}

async function listed(query: string): Promise<Item[]> {
  return (await getJson<{ messages: Item[] }>(node, `/api/v0/messages.json?${query}`)).messages;
}

async function put(type: MessageType, members: string): Promise<string> {
  const signed = await putRaw(node, { account, type, members });
  sent.set(type, signed);
  return signed.itemHash;
}

before(async () => {
  await giveCredits(node, account.address, 10_000_000);
  const form = new FormData();
  form.set("file", new Blob([fileBytes]));
  const upload = await fetch(`${node.apiUrl}/api/v0/storage/add_file`, { method: "POST", body: form });
  const { hash } = (await upload.json()) as { hash: string };
  const file = await put("STORE", `"item_type":"storage","item_hash":"${hash}"`);
  const machine = `"allow_amend":false,"environment":{"internet":true,"aleph_api":true},
    "resources":{"vcpus":1,"memory":128,"seconds":30},"payment":{"chain":"ETH","type":"credit"}`;
  await put("POST", '"type":"note","content":{"body":"b","tags":["t"]}');
  await put("AGGREGATE", '"key":"k","content":{"a":1}');
  await put(
    "PROGRAM",
    `"type":"vm-function","code":{"encoding":"zip","entrypoint":"main:app","ref":"${file}","use_latest":true},
     "runtime":{"ref":"${file}","use_latest":true,"comment":""},"on":{"http":true,"persistent":false},
     ${machine},"volumes":[],"metadata":{"z":9007199254740993,"a":1.10}`.replaceAll(/\n\s*/g, " "),
  );
  await put(
    "INSTANCE",
    `"rootfs":{"parent":{"ref":"${file}","use_latest":true},"persistence":"host","size_mib":20480},
     "authorized_keys":["ssh-ed25519 AAAA me"],"volumes":[],${machine}`.replaceAll(/\n\s*/g, " "),
  );
  const victim = await putRaw(node, { account, type: "POST", members: '"type":"victim","content":1' });
  await put("FORGET", `"hashes":["${victim.itemHash}"],"reason":"r"`);
});

describe("a message in the list", () => {
  for (const type of ["POST", "AGGREGATE", "STORE", "PROGRAM", "INSTANCE", "FORGET"] as const) {
    test(`${type}: exactly the thirteen keys, with the content as it was signed`, async () => {
      const message = sent.get(type);
      assert.ok(message !== undefined);
      for (const mode of ["", "&cursor=", "&sortBy=tx-time"]) {
        const [item, ...others] = await listed(`hashes=${message.itemHash}${mode}`);
        assert.ok(item !== undefined && others.length === 0);
        assert.equal(keysOf(item), sorted(LIST_KEYS));
        assert.equal(item.item_content, message.content);
        assert.deepEqual(item.content, JSON.parse(message.content));
        assert.equal(item.size, Buffer.byteLength(message.content));
        assert.deepEqual([item.confirmed, item.confirmations], [false, []]);
        assert.equal(item.signature, message.signature);
        assert.equal(typeof item.time, "number");
      }
    });
  }

  test("the content of a program passes unmodified: order, spaces and numbers", async () => {
    const message = sent.get("PROGRAM");
    assert.ok(message !== undefined);
    for (const path of [
      `/api/v0/messages.json?hashes=${message.itemHash}`,
      `/api/v0/messages/${message.itemHash}`,
    ]) {
      const text = await (await fetch(node.apiUrl + path)).text();
      assert.ok(text.includes(`"content":${message.content}`), text);
    }
  });

  test("confirmations have the three keys and the two that every model allows", async () => {
    const itemHash = hashOf("POST");
    await node.core.pipeline.confirm({
      hash: itemHash,
      chain: "ETH",
      txHash: `0x${"9f".repeat(32)}`,
      height: 18_500_000,
      timeMicros: 1_700_000_100_250_000n,
      publisher: "0x23eC28598DCeB2f7082Cc3a9D670592DfEd6e0dC",
    });
    const confirmation = {
      chain: "ETH",
      height: 18_500_000,
      hash: `0x${"9f".repeat(32)}`,
      time: 1_700_000_100.25,
      publisher: "0x23eC28598DCeB2f7082Cc3a9D670592DfEd6e0dC",
    };
    const [item] = await listed(`hashes=${itemHash}`);
    const { message } = await getJson<{ message: Item }>(node, `/api/v0/messages/${itemHash}`);
    const { posts } = await getJson<{ posts: Item[] }>(node, `/api/v0/posts.json?hashes=${itemHash}`);
    for (const shown of [item, message, posts[0]]) {
      assert.deepEqual([shown?.confirmed, shown?.confirmations], [true, [confirmation]]);
    }
  });

  test("stored outside the envelope: item_content null, the content still there", async () => {
    const content = `{"address":"${account.address}","time":1700000000.5,"type":"note","content":{"far":"away"}}`;
    // The node names the file by its canonical form, keys sorted: the content is written in that order.
    const canonical = `{"address":"${account.address}","content":{"far":"away"},"time":1700000000.5,"type":"note"}`;
    const upload = await post(node, "/api/v0/storage/add_json", content);
    const { hash } = JSON.parse(upload.text) as { hash: string };
    const signature = await account.sign({
      type: "POST",
      itemHash: hash,
      timeMicros: 1_700_000_000_500_000n,
    });
    const envelope = `{"chain":"ETH","sender":"${account.address}","type":"POST","time":1700000000.5,
      "item_type":"storage","item_hash":"${hash}","signature":"${signature}"}`;
    const answer = await post(node, "/api/v0/messages", `{"sync":true,"message":${envelope}}`);
    assert.equal(answer.status, 200, answer.text);
    const [item] = await listed(`hashes=${hash}`);
    assert.equal(keysOf(item), sorted(LIST_KEYS));
    assert.deepEqual([item?.item_content, item?.item_type, item?.channel], [null, "storage", null]);
    assert.deepEqual(item?.content, JSON.parse(content));
    assert.equal(item?.size, Buffer.byteLength(canonical));
  });

  test("content in headers form holds what the type allows, and none holds none", async () => {
    const expected: [MessageType, string][] = [
      ["POST", "address type"],
      ["AGGREGATE", "address key"],
      ["STORE", "address item_hash"],
      ["PROGRAM", "address"],
    ];
    for (const [type, keys] of expected) {
      const [headers] = await listed(`hashes=${hashOf(type)}&contentFormat=headers`);
      assert.equal(keysOf(headers?.content), keys);
      assert.equal(typeof headers?.item_content, "string");
      const [none] = await listed(`hashes=${hashOf(type)}&content_format=none`);
      assert.equal(keysOf(none), sorted(LIST_KEYS.replace(" content ", " ")));
    }
  });
});

describe("a message alone", () => {
  test("processed: status, hash, reception and the message in the shape of the list", async () => {
    const view = await getJson(node, `/api/v0/messages/${hashOf("POST")}`);
    assert.equal(keysOf(view), "item_hash message reception_time status");
    assert.equal(keysOf(view.message), sorted(LIST_KEYS));
    const status = await getJson(node, `/api/v0/messages/${hashOf("POST")}/status`);
    assert.equal(keysOf(status), "item_hash reception_time status");
    assert.deepEqual([status.status, status.reception_time], ["processed", view.reception_time]);
  });

  test("pending: every copy, with its time as text", async () => {
    const missing = "cd".repeat(32);
    const amend = await signRaw({
      account,
      type: "POST",
      members: `"type":"amend","ref":"${missing}","content":{}`,
    });
    const answer = await post(node, "/api/v0/messages", `{"message":${amend.envelope}}`);
    assert.equal(answer.status, 202);
    const view = await getJson<{ status: string; messages: Item[] }>(
      node,
      `/api/v0/messages/${amend.itemHash}`,
    );
    assert.equal(keysOf(view), "item_hash messages reception_time status");
    assert.equal(view.status, "pending");
    const [copy, ...others] = view.messages;
    assert.equal(others.length, 0);
    assert.equal(
      keysOf(copy),
      sorted(
        "sender chain signature type item_content item_type item_hash time channel content reception_time",
      ),
    );
    assert.equal(copy?.time, "2023-11-14T22:13:20.500000Z");
    assert.match(String(copy?.reception_time), /T\d\d:\d\d:\d\d\.\d{6}Z$/);
    assert.deepEqual(await listed(`hashes=${amend.itemHash}`), []);
  });

  test("rejected: the message as it came, an integer code and details", async () => {
    const amend = await signRaw({ account, type: "POST", members: '"type":"amend","content":{}' });
    const answer = await post(node, "/api/v0/messages", `{"sync":true,"message":${amend.envelope}}`);
    assert.equal(answer.status, 422);
    const view = await getJson<Item>(node, `/api/v0/messages/${amend.itemHash}`);
    assert.equal(keysOf(view), "details error_code item_hash message reception_time status");
    assert.deepEqual([view.status, view.error_code], ["rejected", 0]);
    assert.equal((view.message as Item).time, 1_700_000_000.5);
    assert.ok(!answer.text.includes("    at "), "no trace of the program");
  });

  test("forgotten: a skeleton without content, and by whom", async () => {
    const content = JSON.parse(sent.get("FORGET")?.content ?? "") as { hashes: string[] };
    const [victim] = content.hashes;
    const view = await getJson<Item>(node, `/api/v0/messages/${victim}`);
    assert.equal(keysOf(view), "forgotten_by item_hash message reception_time status");
    assert.deepEqual([view.status, view.forgotten_by], ["forgotten", [hashOf("FORGET")]]);
    const skeleton = FORGOTTEN_KEYS.replace("status ", "").replace("forgotten_by ", "");
    assert.equal(keysOf(view.message), sorted(skeleton));
    assert.equal(typeof (view.message as Item).forgotten_at, "number");
    const [item] = await listed(`msgStatuses=forgotten&hashes=${victim}`);
    assert.equal(keysOf(item), sorted(FORGOTTEN_KEYS));
    assert.deepEqual([item?.owner, item?.forgotten_by], [account.address, [hashOf("FORGET")]]);
    assert.deepEqual(await listed(`hashes=${victim}`), []);
  });
});

describe("a message on the websocket", () => {
  test("is whole, in the history as live", async () => {
    await using frames = await openFrames(`${node.wsUrl}/api/ws0/messages?channels=FRAMES&history=2`);
    const first = await putRaw(node, {
      account,
      type: "POST",
      channel: "FRAMES",
      members: '"type":"f","content":1',
    });
    const live = JSON.parse(await frames.next()) as Item;
    assert.equal(keysOf(live), sorted(LIST_KEYS));
    assert.deepEqual([live.item_hash, live.item_content], [first.itemHash, first.content]);
    await using again = await openFrames(`${node.wsUrl}/api/ws0/messages?channels=FRAMES&history=2`);
    assert.deepEqual(JSON.parse(await again.next()), live);
  });
});
