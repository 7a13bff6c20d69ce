import assert from "node:assert/strict";
import { createServer, request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";
import { DatabaseSync } from "node:sqlite";
import { duplexPair } from "node:stream";
import { describe, test } from "node:test";
import { createMemoryLogger, createVirtualTime } from "@twentysix/platform";
import { createEvmAccount, sha256OfText, verifySignature } from "@twentysix/protocol";
import fc from "fast-check";
import { GuestApi } from "../../../src/functions/guest-api/guest-api.ts";
import { matchesPattern } from "../../../src/functions/guest-api/key-pattern.ts";
import { DEFAULT_CACHE_QUOTA, ProgramCache } from "../../../src/functions/guest-api/program-cache.ts";
import { programMessage } from "../support/program-message.ts";
import { executionOf } from "../support/test-executions.ts";

const account = createEvmAccount({ privateKey: Buffer.alloc(32, 7) });

interface Answer {
  readonly status: number;
  readonly body: string;
}

function apiWith(
  options: { readonly environment?: object; readonly coreNodeUrl?: string; readonly quota?: object } = {},
) {
  const time = createVirtualTime(1_700_000_000_000_000n);
  const cache = new ProgramCache(new DatabaseSync(":memory:"), time.clock, {
    ...DEFAULT_CACHE_QUOTA,
    ...options.quota,
  });
  const api = new GuestApi({
    cache,
    // Nobody listens at the first.
    coreNodeUrls: ["http://127.0.0.1:1", ...(options.coreNodeUrl === undefined ? [] : [options.coreNodeUrl])],
    signer: { account, publicKeyHex: "02ab" },
    fetch: globalThis.fetch,
    clock: time.clock,
    log: createMemoryLogger(),
    signal: new AbortController().signal,
  });
  const environment = {
    reproducible: false,
    internet: false,
    aleph_api: true,
    shared_cache: false,
    ...options.environment,
  };
  const execution = executionOf(programMessage("asking", { environment }), {
    source: "visitor",
    isPersistent: false,
  });
  const ask = (path: string, method = "GET", body?: string | Buffer, who = execution): Promise<Answer> => {
    const [guest, host] = duplexPair();
    api.serve(who, host);
    return new Promise((resolve, reject) => {
      const request = httpRequest(
        { path, method, createConnection: () => guest as never },
        async (response) => {
          const chunks: Buffer[] = [];
          for await (const chunk of response) chunks.push(chunk as Buffer);
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() });
        },
      );
      request.on("error", reject);
      request.end(body);
    });
  };
  return { api, ask, execution, time };
}

describe("the cache of a program", () => {
  test("takes what fits into the memory of the node, however much is sent at once", async () => {
    const { api, ask, execution } = apiWith();
    const open = (count: number) =>
      Array.from({ length: count }, (_, index) => {
        const [guest, host] = duplexPair();
        api.serve(execution, host);
        const headers = { "content-length": 8_000_000 };
        const options = { path: `/cache/k${index}`, method: "PUT", headers };
        const request = httpRequest({ ...options, createConnection: () => guest as never });
        const status = new Promise<number>((resolve, reject) => {
          request.on("response", (response) => resolve(response.resume().statusCode ?? 0));
          request.on("error", reject);
        });
        // All but the last byte: it is kept until that comes.
        request.write(Buffer.alloc(7_999_999));
        return { request, status };
      });
    const puts = open(8);
    const refused = await Promise.race(puts.map(({ status }) => status));
    assert.equal(refused, 503);
    for (const { request } of puts) request.end("x");
    const statuses = await Promise.all(puts.map(({ status }) => status));
    assert.deepEqual([statuses.filter((status) => status === 200).length, statuses.length], [4, 8]);
    assert.equal((await ask("/cache/later", "PUT", "value")).status, 200, "there is room again");
  });

  test("keeps values by name, empty ones too", async () => {
    const { ask } = apiWith();
    assert.deepEqual(await ask("/cache/name"), { status: 404, body: "No such key in cache" });
    assert.deepEqual(await ask("/cache/name", "PUT", "value"), { status: 200, body: "true" });
    assert.deepEqual(await ask("/cache/empty", "PUT", ""), { status: 200, body: "true" });
    assert.deepEqual(await ask("/cache/name"), { status: 200, body: "value" });
    assert.deepEqual(await ask("/cache/empty"), { status: 200, body: "" });
    assert.deepEqual(await ask("/cache/"), { status: 200, body: '["empty","name"]' });
    assert.deepEqual(await ask("/cache/?pattern=n*"), { status: 200, body: '["name"]' });
    assert.deepEqual(await ask("/cache/name", "DELETE"), { status: 200, body: "1" });
    assert.deepEqual(await ask("/cache/name", "DELETE"), { status: 200, body: "0" });
    assert.equal((await ask("/cache/a-b", "PUT", "x")).status, 400);
    assert.equal((await ask("/cache/?pattern=/")).status, 400);
  });

  test("is of one program, for seven days, within its share", async () => {
    const { ask, time } = apiWith({ quota: { maxKeys: 2, maxBytes: 10, maxValueBytes: 6 } });
    const other = executionOf(programMessage("other"), { source: "visitor", isPersistent: false });
    await ask("/cache/name", "PUT", "value");
    assert.equal((await ask("/cache/name", "GET", undefined, other)).status, 404);
    assert.equal((await ask("/cache/long", "PUT", "1234567")).status, 413);
    assert.equal((await ask("/cache/more", "PUT", "123456")).status, 507);
    assert.equal((await ask("/cache/more", "PUT", "12345")).status, 200);
    assert.equal((await ask("/cache/third", "PUT", "")).status, 507);
    await time.advance(7 * 86_400_000 + 1);
    assert.equal((await ask("/cache/name")).status, 404);
  });

  test("goes with the run unless it is shared", async () => {
    for (const shared_cache of [true, false]) {
      const { ask, api, execution } = apiWith({ environment: { shared_cache } });
      await ask("/cache/name", "PUT", "value");
      api.ended(execution);
      assert.equal((await ask("/cache/name")).status, shared_cache ? 200 : 404);
    }
  });

  test("patterns mean what they say, and take no time", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[ab]{0,8}$/), fc.stringMatching(/^[ab?*]{0,6}$/), (key, pattern) => {
        const expression = `^${pattern.replaceAll("?", ".").replaceAll("*", ".*")}$`;
        assert.equal(matchesPattern(key, pattern), new RegExp(expression).test(key));
      }),
    );
    assert.equal(matchesPattern("a".repeat(250), `${"a*".repeat(120)}b`), false);
  });
});

describe("messages of a program", () => {
  const unsigned = (vmHash: string) => {
    const item_content = JSON.stringify({ address: vmHash, time: 1_700_000_000, type: "note", content: {} });
    return {
      type: "POST",
      item_type: "inline",
      item_content,
      item_hash: sha256OfText(item_content),
      time: 1_700_000_000,
    };
  };

  test("are signed with the node's key, when they are its own", async () => {
    const { ask, execution } = apiWith();
    const properties = JSON.parse((await ask("/properties")).body);
    assert.deepEqual(properties, {
      chain: "ETH",
      curve: "secp256k1",
      address: account.address,
      public_key: "02ab",
    });
    const answer = await ask("/sign", "POST", JSON.stringify(unsigned(execution.vmHash)));
    const signed = JSON.parse(answer.body);
    assert.deepEqual([answer.status, signed.sender, signed.chain], [200, account.address, "ETH"]);
    assert.match(signed.signature, /^0x[0-9a-f]{130}$/);
    assert.ok(verifySignature !== undefined);
  });

  test("of others, or that are not what their hash says, are not signed", async () => {
    const { ask, execution } = apiWith();
    const foreign = await ask("/sign", "POST", JSON.stringify(unsigned("0xsomebody")));
    assert.deepEqual(foreign, { status: 400, body: "Message address does not match VM item_hash" });
    const own = unsigned(execution.vmHash);
    for (const wrong of [
      { item_hash: "0".repeat(64) },
      { sender: "0xother" },
      { type: "NONE" },
      { time: "now" },
    ]) {
      assert.equal((await ask("/sign", "POST", JSON.stringify({ ...own, ...wrong }))).status, 400);
    }
    for (const text of ["", "[]", "null", '{"item_content":"no"}']) {
      assert.equal((await ask("/sign", "POST", text)).status, 400);
    }
  });

  test("are published through the first core node that can be reached", async () => {
    const seen: { url: string | undefined; body: string }[] = [];
    const core = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      seen.push({ url: request.url, body: Buffer.concat(chunks).toString() });
      response.writeHead(202, { "content-type": "application/json" }).end('{"status":"success"}');
    }).listen(0);
    try {
      const coreNodeUrl = `http://127.0.0.1:${(core.address() as AddressInfo).port}`;
      const { ask, execution } = apiWith({ coreNodeUrl });
      const data = JSON.stringify(unsigned(execution.vmHash));
      const answer = await ask("/api/v0/p2p/pubsub/pub", "POST", JSON.stringify({ topic: "TEST", data }));
      assert.deepEqual(answer, { status: 202, body: '{"status":"success"}' });
      const published = JSON.parse(seen[0]?.body ?? "");
      assert.equal(published.topic, "TEST");
      assert.equal(JSON.parse(published.data).sender, account.address);
      const read = await ask("/api/v0/messages.json?hashes=a&x=%20");
      assert.deepEqual([read.status, seen[1]?.url], [202, "/api/v0/messages.json?hashes=a&x=%20"]);
    } finally {
      core.close();
    }
  });

  test("need that the program asks for it", async () => {
    const { ask } = apiWith({ environment: { aleph_api: false } });
    for (const [path, method] of [
      ["/properties", "GET"],
      ["/sign", "POST"],
      ["/api/v0/messages.json", "GET"],
    ] as const) {
      assert.equal((await ask(path, method, method === "POST" ? "{}" : undefined)).status, 403);
    }
    assert.equal((await ask("/cache/name", "PUT", "value")).status, 200);
  });

  test("a core node that does not answer is told of", async () => {
    const { ask } = apiWith();
    assert.equal((await ask("/api/v0/info/public.json")).status, 502);
    assert.equal((await ask("/api/v0/messages", "POST", "{}")).status, 405);
  });
});
