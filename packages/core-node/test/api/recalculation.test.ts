import assert from "node:assert/strict";
import { createHash, createPrivateKey, createPublicKey, sign } from "node:crypto";
import { test } from "node:test";
import { createSystemClock } from "@twentysix/platform";
import {
  instanceContent,
  MIB,
  pricing,
  publishBalances,
  publishers,
  send,
  store,
  T,
  untilStatus,
} from "./support/economy.ts";
import { type RealNode, startRealNode, testAccount } from "./support/real-node.ts";

type Body = Record<string, unknown>;

const alice = testAccount(31);
const nowSeconds = Number(createSystemClock().nowMicros() / 1_000_000n);

/** A secp256k1 key of the administrator in these tests. */
const privateKey = (() => {
  const d = createHash("sha256").update("administrator").digest();
  const body = Buffer.concat([
    Buffer.from("302e0201010420", "hex"),
    d,
    Buffer.from("a00706052b8104000a", "hex"),
  ]);
  return createPrivateKey({ key: body, format: "der", type: "sec1" });
})();
const administrationKey = (() => {
  const { x = "", y = "" } = createPublicKey(privateKey).export({ format: "jwk" });
  const odd = (Buffer.from(y, "base64url").at(-1) ?? 0) % 2;
  return `0${2 + odd}${Buffer.from(x, "base64url").toString("hex").padStart(64, "0")}`;
})();

function token(seconds = nowSeconds): string {
  const signature = sign("sha256", Buffer.from(String(seconds)), { key: privateKey, dsaEncoding: "der" });
  return Buffer.from(`${seconds}:${signature.toString("base64")}`).toString("base64");
}

const started = (t: Parameters<typeof startRealNode>[0]): Promise<RealNode> =>
  startRealNode(t, {
    network: (definition) => ({
      ...definition,
      authorities: { ...definition.authorities, administrationKey },
    }),
  });

async function recalculate(node: RealNode, path: string, headers: Record<string, string> = {}) {
  const init = { headers: { "x-auth-token": token(), ...headers } };
  const response = await node.post(`/api/v0/price/${path}`, "", init);
  return { status: response.status, body: (await response.json()) as Body, headers: response.headers };
}

const priceList = (node: RealNode, time: number, holding: string) =>
  send(node, publishers.prices, "AGGREGATE", time, {
    key: "pricing",
    content: { ...pricing(), storage: { price: { storage: { holding, credit: "1" } } } },
  });

const costOf = async (node: RealNode, hash: string) =>
  ((await node.json(`/api/v0/price/${hash}`)) as Body).cost;

test("only the administrator of the network may have costs computed anew", async (t) => {
  const node = await started(t);
  const other = createHash("sha256").update("other").digest("base64");
  for (const given of [
    "",
    "nonsense",
    token(nowSeconds - 400),
    token(nowSeconds + 400),
    Buffer.from(`${nowSeconds}:${other}`).toString("base64"),
    Buffer.from(`${nowSeconds + 1}:${Buffer.from(token(), "base64").toString().split(":")[1]}`).toString(
      "base64",
    ),
  ]) {
    for (const path of ["recalculate", `${"ab".repeat(32)}/recalculate`]) {
      const { status, headers } = await recalculate(node, path, { "x-auth-token": given });
      assert.deepEqual([status, headers.get("www-authenticate")], [401, "Bearer"], given);
    }
  }
  const { status, body } = await recalculate(node, "recalculate");
  const { job, ...report } = body;
  assert.deepEqual(
    [status, report],
    [
      200,
      {
        message: "No messages with costs were found",
        recalculated_count: 0,
        total_messages: 0,
        changed_count: 0,
      },
    ],
  );
  assert.equal((job as Body).state, "done");
  const withoutKey = await startRealNode(t);
  assert.equal((await recalculate(withoutKey, "recalculate")).status, 401);
});

test("costs are computed anew with the prices of the time of each message", async (t) => {
  const node = await started(t);
  await publishBalances(node, T, { [alice.address]: 100_000 });
  const files = [
    await store(node, alice, T + 10, 50 * MIB),
    await store(node, alice, T + 20, 50 * MIB),
    await store(node, alice, T + 30, 50 * MIB),
  ];
  // Lists that come late, and are dated in between.
  await priceList(node, T + 15, "1");
  await priceList(node, T + 25, "2");
  await send(node, publishers.prices, "AGGREGATE", T + 26, { key: "pricing", content: { storage: "free" } });
  assert.deepEqual(
    await Promise.all(files.map((hash) => costOf(node, hash))),
    files.map(() => "16.666666650000000000"),
  );

  const dry = await recalculate(node, "recalculate?dry_run=true");
  assert.equal(dry.status, 200);
  assert.deepEqual(
    [
      dry.body.total_messages,
      dry.body.recalculated_count,
      dry.body.changed_count,
      dry.body.pricing_changes_found,
    ],
    [3, 3, 2, 4],
  );
  assert.equal(await costOf(node, files[2] ?? ""), "16.666666650000000000", "a dry run writes nothing");
  const one = await recalculate(node, `${files[1]}/recalculate`);
  assert.deepEqual([one.status, one.body.recalculated_count, one.body.total_messages], [200, 1, 1]);
  assert.equal(await costOf(node, files[1] ?? ""), "50.000000000000000000");

  const done = await recalculate(node, "recalculate");
  assert.deepEqual([done.status, done.body.changed_count, done.body.recalculated_count], [200, 1, 3]);
  assert.deepEqual(await Promise.all(files.map((hash) => costOf(node, hash))), [
    "16.666666650000000000",
    "50.000000000000000000",
    "100.000000000000000000",
  ]);
  const balance = (await node.json(`/api/v0/addresses/${alice.address}/balance`)) as Body;
  assert.equal(balance.locked_amount, 166.66666665);
  const { job } = (await node.json("/api/v1/price/recalculation")) as { job: Body };
  assert.deepEqual([job.id, job.state, job.dry_run, job.changed_count], [2, "done", false, 1]);
  const again = await recalculate(node, "recalculate");
  assert.equal(again.body.changed_count, 0, "what is right stays as it is");
});

test("what is about to be removed keeps its cost, and what has no price any more is told", async (t) => {
  const node = await started(t);
  await publishBalances(node, T, { [alice.address]: 100_000 });
  const doomed = await store(node, alice, T + 20, 50 * MIB);
  const machine = await send(node, alice, "INSTANCE", T + 19, instanceContent(doomed));
  await publishBalances(node, T + 21, { [alice.address]: 1_010 });
  await untilStatus(node, doomed, "removing");
  const { instance: _, ...without } = pricing();
  // An element cannot take a product out of the list, so the first list is the one without it.
  await send(node, publishers.prices, "AGGREGATE", T + 5, {
    key: "pricing",
    content: { ...without, storage: { price: { storage: { holding: "1", credit: "1" } } } },
  });
  const { body } = await recalculate(node, "recalculate");
  assert.deepEqual([body.recalculated_count, body.changed_count, body.total_messages], [0, 0, 2]);
  assert.deepEqual(body.errors, [{ item_hash: machine, error: "The price list has no product instance" }]);
  assert.equal(await costOf(node, doomed), "16.666666650000000000");
  assert.equal(await costOf(node, machine), "1000.000000000000000000");
});

test("one message that has no cost is refused as its price is", async (t) => {
  const node = await started(t);
  await publishBalances(node, T, { [alice.address]: 100_000 });
  const file = await store(node, alice, T + 1, MIB);
  const post = await send(node, alice, "POST", T + 2, { type: "note", content: {} });
  await send(node, alice, "FORGET", T + 3, { hashes: [file] });
  for (const [hash, status] of [
    ["Xyz", 400],
    ["ab".repeat(32), 404],
    [post, 400],
    [file, 410],
  ] as const) {
    assert.equal((await recalculate(node, `${hash}/recalculate`)).status, status, hash);
  }
});
