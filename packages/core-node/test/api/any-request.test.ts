import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { instanceContent } from "./support/economy.ts";
import { startRealNode } from "./support/real-node.ts";

const RUNS = 200;

const GET_PATHS = [
  "/api/v0/messages.json",
  "/api/v0/messages/page/1.json",
  "/api/v0/messages/hashes",
  "/api/v0/posts.json",
  "/api/v1/posts.json",
  "/api/v0/aggregates",
  "/api/v0/aggregates/0xA.json",
  "/api/v0/authorizations/granted/0xA.json",
  "/api/v0/authorizations/received/0xA.json",
  "/api/v0/addresses/0xA/files",
  "/api/v0/addresses/0xA/balance",
  "/api/v0/addresses/stats.json",
  "/api/v1/addresses/stats.json",
  "/api/v0/balances",
  "/api/v0/credit_balances",
  "/api/v0/addresses/0xA/credit_history",
  "/api/v0/addresses/0xA/credit_history/summary",
  "/api/v1/addresses/0xA/forecast",
  "/api/v0/costs",
  "/api/v1/costs/ended",
  "/api/v0/price/x",
  "/api/v0/core/x/metrics",
  "/api/v0/programs/on/message",
];
const NAMES = [
  ..."page pagination cursor msgType msgTypes msgStatuses addresses owners refs contentHashes contentKeys".split(
    " ",
  ),
  ..."contentTypes chains channels tags hashes paymentTypes startDate endDate startBlock endBlock sortBy".split(
    " ",
  ),
  ..."sortOrder contentFormat excludeContent fields types keys limit with_info value_only grantee file_hash".split(
    " ",
  ),
  ..."min_balance sort_by sort_order direction resource resourceTypes has_expiration exclude_payment_method".split(
    " ",
  ),
  ..."address item_hash payment_type include_details include_size include_credit_details chain tx_hash empty".split(
    " ",
  ),
  ..."addressContains addresses[] since hash_only status start_date end_date sort confirmed".split(" "),
];
const VALUES = [
  ..."0 1 -1 2 20.0 1e3 1e308 1e999 NaN 99999999999999999999999 POST STORE,POST processed pending,rejected".split(
    " ",
  ),
  ..."forgotten removed ETH inline credit time tx-time full none true no e30 eyJoIjoxfQ eyJ0IjoiMSIsImgiOm51bGx9".split(
    " ",
  ),
  "",
  ",",
  "%00",
  "%ff",
  "%F0%9F%92%A9",
  "__proto__",
  "ab".repeat(32),
  `Qm${"1".repeat(44)}`,
  "bnVsbA",
  "W10",
];

/** Cursors of every shape that JSON can have. */
const cursor = fc.json().map((text) => Buffer.from(text).toString("base64url"));
const parameter = fc.oneof(
  fc.tuple(fc.constantFrom(...NAMES), fc.constantFrom(...VALUES)),
  fc.tuple(
    fc.constantFrom(...NAMES),
    fc.string({ unit: "binary" }).map((text) => encodeURIComponent(text.toWellFormed())),
  ),
  fc.tuple(fc.constant("cursor"), cursor),
);

test("no query makes the node fail", async (t) => {
  const node = await startRealNode(t);
  for (let n = 0; n < 5; n += 1)
    await node.put({ type: "POST", members: `"type":"note","content":{"n":${n}}` });
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...GET_PATHS),
      fc.array(parameter, { maxLength: 5 }),
      async (path, parameters) => {
        const query = parameters.map(([name, value]) => `${name}=${value}`).join("&");
        const response = await node.get(`${path}?${query}`);
        await response.arrayBuffer();
        assert.ok(response.status < 500, `${response.status} ${path}?${query}`);
      },
    ),
    { numRuns: RUNS },
  );
  assert.match(await (await node.get("/metrics")).text(), /^twentysix_internal_errors_total 0$/m);
});

test("no path segment makes the node fail", async (t) => {
  const node = await startRealNode(t);
  const segment = fc
    .string({ unit: "binary", minLength: 1 })
    .map((text) => encodeURIComponent(text.toWellFormed()));
  const path = fc.oneof(
    segment.map((text) => `/api/v0/messages/${text}`),
    segment.map((text) => `/api/v0/messages/${text}/content`),
    segment.map((text) => `/api/v0/messages/page/${text}.json`),
    segment.map((text) => `/api/v0/storage/${text}`),
    segment.map((text) => `/api/v0/storage/raw/${text}`),
    segment.map((text) => `/api/v0/storage/metadata/${text}`),
    segment.map((text) => `/api/v0/storage/count/${text}`),
    fc.tuple(segment, segment).map(([address, ref]) => `/api/v0/storage/by-ref/${address}/${ref}`),
    segment.map((text) => `/api/v0/aggregates/${text}.json`),
    segment.map((text) => `/api/v0/addresses/${text}/files`),
    segment.map((text) => `/api/v0/addresses/${text}/post_types`),
    segment.map((text) => `/api/v0/addresses/${text}/balance?include_credit_details=1`),
    segment.map((text) => `/api/v0/addresses/${text}/credit_history`),
    segment.map((text) => `/api/v1/addresses/${text}/forecast`),
    segment.map((text) => `/api/v0/messages/${text}/consumed_credits`),
    segment.map((text) => `/api/v0/price/${text}`),
  );
  await fc.assert(
    fc.asyncProperty(path, async (one) => {
      const response = await node.get(one);
      await response.arrayBuffer();
      assert.ok(response.status < 500, `${response.status} ${one}`);
    }),
    { numRuns: RUNS },
  );
});

test("no body makes the node fail", async (t) => {
  const node = await startRealNode(t);
  const { text } = await node.sign({ type: "POST", members: '"type":"note","content":{}' });
  const routes = [
    "/api/v0/messages",
    "/api/v0/p2p/pubsub/pub",
    "/api/v0/storage/add_json",
    "/api/v0/ipfs/add_file",
    "/api/v0/price/estimate",
    "/api/v0/price/estimate/instance",
  ];
  const instance = JSON.stringify({ address: "0xA", ...instanceContent("ab".repeat(32)) });
  /** An instance that is to be priced, with a hash that fits. */
  const estimate = (content: string): string =>
    JSON.stringify({
      message: {
        type: "INSTANCE",
        item_hash: createHash("sha256").update(content).digest("hex"),
        item_content: content,
      },
    });
  /** A good text with one stretch of it replaced. */
  const mutationOf = (good: string) =>
    fc
      .tuple(fc.nat(good.length), fc.nat(30), fc.oneof(fc.string(), fc.json(), fc.constantFrom(...VALUES)))
      .map(([at, length, piece]) => good.slice(0, at) + piece + good.slice(at + length));
  const mutated = mutationOf(text);
  const body = fc.oneof(
    fc.json(),
    fc.json().map((json) => `{"message":${json}}`),
    mutated.map((envelope) => `{"message":${envelope}}`),
    mutated.map((envelope) => JSON.stringify({ topic: "ALEPH-TEST", data: envelope })),
    mutationOf(instance),
    mutationOf(instance).map((content) => estimate(content.toWellFormed())),
    fc.uint8Array().map((bytes) => Buffer.from(bytes).toString("latin1")),
  );
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...routes), body, async (path, sent) => {
      const response = await node.post(path, sent);
      await response.arrayBuffer();
      assert.ok(response.status < 500, `${response.status} ${path} ${sent}`);
    }),
    { numRuns: RUNS },
  );
  assert.equal((await node.post("/api/v0/messages", `{"message":${text}}`)).status < 300, true);
});
