import assert from "node:assert/strict";
import { createHash, createPrivateKey, createPublicKey, sign } from "node:crypto";
import { test } from "node:test";
import { createSystemClock, type Timers } from "@twentysix/platform";
import { SqliteConnection } from "@twentysix/storage";
import { signed } from "../pipeline/support/signed.ts";
import {
  instanceContent,
  MIB,
  pricing,
  publishBalances,
  publishers,
  send,
  store,
  submit,
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
  const waiting = signed(alice, "INSTANCE", T + 4, instanceContent("12".repeat(32)));
  assert.equal((await submit(node, waiting)).status, 202);
  const rootfs = await store(node, alice, T + 5, MIB);
  const unpaid = signed(testAccount(32), "INSTANCE", T + 6, instanceContent(rootfs));
  assert.equal((await submit(node, unpaid)).status, 422);
  for (const [hash, status] of [
    ["Xyz", 400],
    ["ab".repeat(32), 404],
    [unpaid.hash, 404],
    [waiting.hash, 409],
    [post, 400],
    [file, 410],
  ] as const) {
    const answer = await recalculate(node, `${hash}/recalculate`);
    assert.equal(answer.status, status, hash);
    assert.equal(answer.headers.get("retry-after"), status === 409 ? "2" : null);
  }
  assert.equal((await recalculate(node, `${rootfs}/recalculate?dry_run=perhaps`)).status, 422);
});

test("a job that takes long goes on in the background, and no other starts meanwhile", async (t) => {
  const node = await started(t);
  await publishBalances(node, T, { [alice.address]: 100_000 });
  const file = await store(node, alice, T + 10, 50 * MIB);
  await priceList(node, T + 5, "1");
  // Nobody waits for the job here, whose last step another process keeps waiting.
  const impatient: Timers = {
    ...node.services.timers,
    schedule: (_delayMs, callback) => {
      callback();
      return () => undefined;
    },
  };
  Object.assign(node.services, { timers: impatient });
  const other = new SqliteConnection(node.databasePath);
  other.begin();
  const begun = await recalculate(node, "recalculate");
  assert.deepEqual([begun.status, begun.body.message], [202, "Costs are being computed anew"]);
  assert.deepEqual((begun.body.job as Body).state, "running");
  const second = await recalculate(node, "recalculate");
  assert.deepEqual(
    [second.status, (second.body.error as Body).code, second.headers.get("retry-after")],
    [409, "API_RECALCULATION_RUNNING", "5"],
  );
  assert.equal((await recalculate(node, "recalculate", { "x-auth-token": "" })).status, 401);
  const state = async () => ((await node.json("/api/v1/price/recalculation")) as { job: Body }).job;
  assert.equal((await state()).state, "running");
  assert.equal(await costOf(node, file), "16.666666650000000000", "nothing is written by halves");
  other.rollBack();
  other.close();
  await node.services.economy.recalculation.settled(new AbortController().signal);
  const { id, state: ended, changed_count: changed } = await state();
  assert.deepEqual([id, ended, changed], [1, "done", 1]);
  assert.equal(await costOf(node, file), "50.000000000000000000");
  assert.equal((await state()).ended_at === null, false);
});

test("what is free by its date or its block has a cost all the same, of the time of the message", async (t) => {
  const node = await startRealNode(t, {
    network: (definition) => ({
      ...definition,
      authorities: { ...definition.authorities, administrationKey },
      switches: { ...definition.switches, observedTimeGates: false },
      cutovers: {
        ...definition.cutovers,
        paidFilesFromSeconds: T + 100,
        paidFilesFromHeight: { chain: "ETH", height: 1_000 },
      },
    }),
  });
  // Nobody has a token yet: by the date in their envelopes they are free.
  const files = [
    await store(node, alice, T + 10, 50 * MIB),
    await store(node, alice, T + 20, 50 * MIB),
    await store(node, alice, T + 30, 50 * MIB),
  ];
  const [early = "", late = ""] = files;
  await publishBalances(node, T + 40, { [alice.address]: 100_000 });
  for (const [hash, height] of [
    [early, 999],
    [late, 1_000],
  ] as const) {
    await node.pipeline.confirm({
      hash,
      chain: "ETH",
      txHash: `0x${height}`,
      height,
      // Blocks are late: what counts is the time of the message.
      timeMicros: BigInt(T + 500) * 1_000_000n,
      publisher: alice.address,
    });
  }
  await priceList(node, T + 5, "1");
  await priceList(node, T + 200, "2");
  const { body } = await recalculate(node, "recalculate");
  assert.deepEqual([body.recalculated_count, body.changed_count, body.errors], [3, 3, undefined]);
  for (const hash of files) {
    assert.equal(await costOf(node, hash), "50.000000000000000000");
    assert.equal(((await node.json(`/api/v0/messages/${hash}`)) as Body).status, "processed");
  }
});
