import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { get, getJson, type HttpAnswer, post, rawAccount, signRaw } from "../../support/raw-messages.ts";
import { startTestNode } from "../../support/test-node.ts";

const node = await startTestNode();
after(() => node.remove());

const account = rawAccount("submission");
const ROUTE = "/api/v0/messages";
const TOPIC = "TWENTYSIX-LOCAL";
let count = 0;

function note(members = `"type":"note","content":${count++}`) {
  return signRaw({ account, type: "POST", members });
}

const withSignature = (envelope: string, signature: string): string =>
  envelope.replace(/"signature":"[^"]*"/, `"signature":"${signature}"`);

/** What the Python and the Rust client read of an answer. */
function assertPublished(answer: HttpAnswer, messageStatus: string): void {
  assert.match(answer.headers.get("content-type") ?? "", /^application\/json/);
  const body = JSON.parse(answer.text) as Record<string, unknown>;
  assert.deepEqual(body.publication_status, { status: "success", failed: [] });
  assert.equal(body.message_status, messageStatus);
}

describe("POST /api/v0/messages", () => {
  test("without waiting: 202 and pending, found from then on", async () => {
    const { envelope, itemHash } = await note();
    const answer = await post(node, ROUTE, `{"sync":false,"message":${envelope}}`);
    assert.equal(answer.status, 202);
    assertPublished(answer, "pending");
    const status = await getJson(node, `${ROUTE}/${itemHash}/status`);
    assert.ok(["pending", "processed"].includes(String(status.status)));
  });

  test("waiting: 200 and processed, and again for the same message", async () => {
    const { envelope } = await note();
    for (let turn = 0; turn < 2; turn += 1) {
      const answer = await post(node, ROUTE, `{"sync":true,"message":${envelope}}`);
      assert.equal(answer.status, 200);
      assertPublished(answer, "processed");
    }
  });

  test("rejected: 422, still with both statuses and the integer code", async () => {
    const { envelope } = await signRaw({
      account,
      type: "POST",
      owner: "0xSomebody",
      members: '"type":"note","content":1',
    });
    const answer = await post(node, ROUTE, `{"sync":true,"message":${envelope}}`);
    assert.equal(answer.status, 422);
    assertPublished(answer, "rejected");
    const body = JSON.parse(answer.text) as {
      error_code: unknown;
      error: { code: unknown; message: unknown };
    };
    assert.deepEqual([body.error_code, body.error.code], [2, 2]);
    assert.equal(typeof body.error.message, "string");
  });

  test("a signature that is not the sender's: the text of the network, and beside it why", async () => {
    const other = rawAccount("somebody else");
    const { envelope, itemHash } = await note();
    const timeMicros = 1_700_000_000_500_000n;
    const foreign = await other.sign({ type: "POST", itemHash, timeMicros });
    const answer = await post(node, ROUTE, `{"message":${withSignature(envelope, foreign)}}`);
    assert.equal(answer.status, 422);
    const body = JSON.parse(answer.text) as Record<string, unknown>;
    assert.deepEqual([body.error_code, body.message_status], [1, "rejected"]);
    const errors = ["The signature of the message is invalid"];
    const { recovered_address: recovered } = body.why as { recovered_address: string };
    assert.match(recovered, /^0x[0-9a-fA-F]{40}$/);
    assert.notEqual(recovered, account.address);
    const why = {
      reason: "the address recovered from the signature is not the sender",
      recovered_address: recovered,
      expected_address: account.address,
      buffer: `ETH\n${account.address}\nPOST\n${itemHash}`,
    };
    assert.deepEqual([body.details, body.why], [errors, why]);
    const view = await getJson(node, `${ROUTE}/${itemHash}`);
    assert.deepEqual([view.error_code, view.details], [1, { errors, why }]);
  });

  test("a signature that cannot be read: the text of the network with the reason", async () => {
    const { envelope } = await note();
    const answer = await post(node, ROUTE, `{"message":${withSignature(envelope, "0xdead")}}`);
    const body = JSON.parse(answer.text) as { details: string[]; why: Record<string, unknown> };
    assert.match(body.details[0] ?? "", /^Signature validation error: the signature is not 65 bytes/);
    assert.equal(body.why.recovered_address, undefined);
    assert.equal(body.why.expected_address, account.address);
  });

  test("an upload with a signature that is not the sender's tells the same", async () => {
    const hash = "ab".repeat(32);
    const members = `"item_type":"storage","item_hash":"${hash}"`;
    const { envelope } = await signRaw({ account, type: "STORE", members });
    const form = new FormData();
    form.append("metadata", `{"sync":true,"message":${withSignature(envelope, "0xdead")}}`);
    const answer = await fetch(`${node.apiUrl}/api/v0/storage/add_file`, { method: "POST", body: form });
    assert.equal(answer.status, 403);
    const { error } = (await answer.json()) as { error: { message: string; details: { why: object } } };
    assert.match(error.message, /^403: Forbidden. Signature validation error: /);
    assert.ok("buffer" in error.details.why);
  });

  test("a message of the API posted back whole is the same message", async () => {
    const { envelope, itemHash } = await note();
    await post(node, ROUTE, `{"sync":true,"message":${envelope}}`);
    const { message } = await getJson<{ message: unknown }>(node, `${ROUTE}/${itemHash}`);
    const answer = await post(node, ROUTE, JSON.stringify({ sync: true, message }));
    assert.equal(answer.status, 200);
    assertPublished(answer, "processed");
  });

  test("any content type is read as JSON", async () => {
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "application/octet-stream"]) {
      const { envelope } = await note();
      const response = await fetch(node.apiUrl + ROUTE, {
        method: "POST",
        headers: { "content-type": type },
        body: `{"sync":true,"message":${envelope}}`,
      });
      assert.equal(response.status, 200, type);
    }
  });

  test("nothing that is sent there is 404 or 405: clients would fall back to the older route", async () => {
    const { envelope } = await note();
    const bodies = [
      ...["", "{", "[]", "null", '"text"', "{}", '{"message":null}', '{"message":[]}', '{"sync":true}'],
      `{"sync":"maybe","message":${envelope}}`,
      `{"message":${envelope.replace('"POST"', '"NOTHING"')}}`,
      `{"message":${envelope.replace('"ETH"', '"NOWHERE"')}}`,
      `{"message":${envelope.replace(/"item_hash":"[^"]*"/, '"item_hash":"zz"')}}`,
      `{"message":${envelope.replace(/"signature":"[^"]*"/, '"signature":null')}}`,
      `{"message":{"item_hash":"${"ab".repeat(32)}"}}`,
    ];
    for (const body of bodies) {
      for (const suffix of ["", "?sync=1"]) {
        const answer = await post(node, ROUTE + suffix, body);
        assert.equal(answer.status, 422, `${body}: ${answer.text}`);
        assert.doesNotThrow(() => JSON.parse(answer.text));
      }
    }
  });
});

describe("the older publication routes", () => {
  for (const route of ["/api/v0/ipfs/pubsub/pub", "/api/v0/p2p/pubsub/pub"]) {
    test(`${route} takes a message as text under the topic of the network`, async () => {
      const { envelope, itemHash } = await note();
      const answer = await post(node, route, JSON.stringify({ topic: TOPIC, data: envelope }));
      assert.equal(answer.status, 200, answer.text);
      assert.deepEqual(JSON.parse(answer.text), { status: "success", failed: [] });
      assert.equal((await get(node, `${ROUTE}/${itemHash}/status`)).status, 200);
    });

    test(`${route} refuses other topics and everything that is not the text of a message`, async () => {
      const { envelope } = await note();
      const wrongTopic = await post(node, route, JSON.stringify({ topic: "OTHER", data: envelope }));
      assert.equal(wrongTopic.status, 403);
      for (const body of [
        JSON.stringify({ topic: TOPIC, data: JSON.parse(envelope) }),
        JSON.stringify({ topic: TOPIC, data: envelope.slice(0, -1) }),
        JSON.stringify({ topic: TOPIC, data: envelope.replace(/"item_content":"(\\"|[^"])*",/, "") }),
        JSON.stringify({ topic: TOPIC, data: "nonsense" }),
        JSON.stringify({ topic: TOPIC }),
        "not JSON",
        "[]",
      ]) {
        assert.equal((await post(node, route, body)).status, 422, body);
      }
    });
  }
});

describe("what is not there", () => {
  const unknown = "cd".repeat(32);

  test("messages: 404, malformed hashes too", async () => {
    for (const hash of [unknown, "zz", "QmShort", `${unknown}0`, "%20"]) {
      for (const suffix of ["", "/content", "/status"]) {
        const { status, text } = await get(node, `${ROUTE}/${hash}${suffix}`);
        assert.equal(status, 404, `${hash}${suffix}`);
        assert.doesNotThrow(() => JSON.parse(text));
      }
    }
  });

  test("files: 404 by hash, by message and by reference, and a count of 0", async () => {
    for (const path of [
      `/api/v0/storage/${unknown}`,
      `/api/v0/storage/raw/${unknown}`,
      `/api/v0/storage/raw/${unknown}?find`,
      `/api/v0/storage/metadata/${unknown}`,
      `/api/v0/storage/by-message-hash/${unknown}`,
      `/api/v0/storage/by-ref/${unknown}`,
      `/api/v0/storage/by-ref/0xNobody/name`,
    ]) {
      assert.equal((await get(node, path)).status, 404, path);
    }
    assert.equal((await get(node, `/api/v0/storage/count/${unknown}`)).text, "0");
    const head = await fetch(`${node.apiUrl}/api/v0/storage/raw/${unknown}`, { method: "HEAD" });
    assert.equal(head.status, 404);
  });

  test("lists of an address are empty, not missing", async () => {
    assert.deepEqual(await getJson(node, "/api/v0/addresses/0xNobody/post_types"), {
      address: "0xNobody",
      post_types: [],
    });
    assert.deepEqual(await getJson(node, "/api/v0/addresses/0xNobody/channels"), {
      address: "0xNobody",
      channels: [],
    });
    for (const side of ["granted", "received"]) {
      const page = await getJson(node, `/api/v0/authorizations/${side}/0xNobody.json`);
      assert.deepEqual([page.authorizations, page.pagination_total], [{}, 0]);
    }
  });

  test("the content of a message that is not processed: 422 that names the status", async () => {
    const { envelope, itemHash } = await note(`"type":"amend","ref":"${unknown}","content":{}`);
    assert.equal((await post(node, ROUTE, `{"message":${envelope}}`)).status, 202);
    const answer = await get(node, `${ROUTE}/${itemHash}/content`);
    assert.equal(answer.status, 422);
    assert.match(answer.text, /pending/);
  });
});

describe("what consoles and probes read", () => {
  test("version, public addresses, channels and figures", async () => {
    const { version } = await getJson(node, "/api/v0/version");
    assert.match(String(version), /^v?\d+\.\d+\.\d+/);
    assert.deepEqual(await getJson(node, "/version"), { version });
    const info = await getJson(node, "/api/v0/info/public.json");
    assert.ok(Array.isArray(info.node_multi_addresses));
    const { channels } = await getJson(node, "/api/v0/channels/list.json");
    assert.deepEqual(channels, ["RAW"]);
    const figures = await getJson<Record<string, unknown>>(node, "/metrics.json");
    for (const name of [
      "pyaleph_build_info",
      "pyaleph_status_sync_pending_txs_total",
      "pyaleph_status_sync_pending_messages_total",
      "pyaleph_status_chain_eth_height_remaining_total",
    ]) {
      assert.ok(Object.hasOwn(figures, name), name);
    }
  });

  test("any origin may read, with the length of a file exposed", async () => {
    const upload = await post(node, "/api/v0/storage/add_json", '"for the browser"');
    const { hash } = JSON.parse(upload.text) as { hash: string };
    const head = await fetch(`${node.apiUrl}/api/v0/storage/raw/${hash}`, {
      method: "HEAD",
      headers: { origin: "https://console.example" },
    });
    assert.match(head.headers.get("access-control-allow-origin") ?? "", /^(\*|https:\/\/console\.example)$/);
    assert.equal(head.headers.get("content-length"), String('"for the browser"'.length));
    assert.equal(head.headers.get("x-content-type-options"), null);
  });
});
