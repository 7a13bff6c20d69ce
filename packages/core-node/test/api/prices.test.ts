import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { signed, vprogram } from "../pipeline/support/signed.ts";
import {
  accept,
  grant,
  instanceContent,
  MIB,
  payment,
  pricing,
  publishBalances,
  publishers,
  send,
  store,
  submit,
  T,
} from "./support/economy.ts";
import { type RealNode, startRealNode, testAccount } from "./support/real-node.ts";

type Body = Record<string, unknown>;

const alice = testAccount(11);
const hashOf = (text: string): string => createHash("sha256").update(text).digest("hex");
const GPU_4090 = "10de:2684";

describe("the price of a message", () => {
  let node: RealNode;
  const ends: (() => Promise<void>)[] = [];
  before(async () => {
    node = await startRealNode({ after: (end) => ends.unshift(end) });
    await publishBalances(node, T, { [alice.address]: 10_000 });
    await grant(node, T, { address: alice.address, amount: 2_000_000 });
  });
  after(async () => {
    for (const end of ends) await end();
  });
  const price = async (hash: string, query = "") => {
    const response = await node.get(`/api/v0/price/${hash}${query}`);
    return { status: response.status, body: (await response.json()) as Body, headers: response.headers };
  };

  test("is what was computed when it was accepted, with sizes on request", async () => {
    const rootfs = await store(node, alice, T + 1, MIB);
    const held = await send(node, alice, "INSTANCE", T + 2, {
      ...instanceContent(rootfs, {
        volumes: [{ mount: "/data", persistence: "host", size_mib: 50, name: "d" }],
      }),
    });
    const { body } = await price(held);
    const { detail, pricing_revision: revision, ...totals } = body;
    assert.match(String(revision), /^[0-9a-f]{64}$/);
    assert.deepEqual(totals, {
      required_tokens: 1002.5,
      payment_type: "hold",
      cost: "1002.500000000000000000",
      charged_address: alice.address,
      cost_per: null,
      usd_per: {
        hour: "0.014258983744515313",
        day: "0.342215609868367513",
        month: "10.266468296051025394",
      },
    });
    const names = (detail as Body[]).map(({ type, name, size_mib: size }) => [type, name, size]);
    assert.deepEqual(names, [
      ["EXECUTION", "instance", null],
      ["EXECUTION_INSTANCE_VOLUME_ROOTFS", "EXECUTION_INSTANCE_VOLUME_ROOTFS", null],
      ["EXECUTION_VOLUME_PERSISTENT", "#0:/data", null],
      ["EXECUTION_VOLUME_DISCOUNT", "EXECUTION_VOLUME_DISCOUNT", null],
    ]);
    const sizes = async (query: string) =>
      ((await price(held, query)).body.detail as Body[]).map(({ size_mib: size }) => size);
    assert.deepEqual(await sizes("?include_size=True"), [null, 20_480, 50, null]);
    assert.deepEqual(await sizes("?includeSize=true"), [null, 20_480, 50, null]);
    assert.deepEqual(await sizes("?include_size=1"), [null, null, null, null]);
  });

  test("is a rate where credits pay, with what it comes to over time", async () => {
    const rootfs = await store(node, alice, T + 3, MIB);
    const paid = await send(node, alice, "INSTANCE", T + 4, instanceContent(rootfs, payment("credit")));
    const { body } = await price(paid);
    assert.deepEqual(
      [body.cost, body.required_tokens, body.payment_type, body.cost_per, body.usd_per],
      [
        "3.958333333333333333",
        3.9583333333333335,
        "credit",
        {
          hour: "14249.999999999999998800",
          day: "341999.999999999999971200",
          month: "10259999.999999999999136000",
        },
        { hour: "0.014249999999999999", day: "0.341999999999999999", month: "10.259999999999999999" },
      ],
    );
  });

  test("of what has none is refused by what stands in the way", async () => {
    const waiting = signed(alice, "INSTANCE", T + 5, instanceContent("12".repeat(32)));
    assert.equal((await submit(node, waiting)).status, 202);
    const pending = await price(waiting.hash);
    assert.deepEqual([pending.status, pending.headers.get("retry-after")], [409, "2"]);
    assert.equal((pending.body.error as Body).code, "API_MESSAGE_PENDING");

    const poor = signed(testAccount(12), "STORE", T, { item_type: "storage", item_hash: "a".repeat(64) });
    const dear = await store(node, alice, T + 6, 10).then((rootfs) =>
      signed(testAccount(12), "INSTANCE", T, instanceContent(rootfs)),
    );
    assert.equal((await submit(node, dear)).status, 422);
    const post = await send(node, alice, "POST", T + 7, { type: "note", content: {} });
    for (const [hash, status, message] of [
      [dear.hash, 404, /rejected/],
      ["cd".repeat(32), 404, /knows no such message/],
      [poor.hash, 404, /knows no such message/],
      [post, 400, /of type POST have no price/],
      ["Xyz", 400, /Invalid message hash: Xyz/],
    ] as const) {
      const refused = await price(hash);
      assert.equal(refused.status, status, hash);
      assert.match(String((refused.body.error as Body).message), message);
    }
  });

  test("of a forgotten file is that of today, and gone for everything else", async () => {
    const small = await store(node, alice, T + 8, MIB, payment("credit"));
    const held = await store(node, alice, T + 9, 50 * MIB);
    const post = await send(node, alice, "POST", T + 9, { type: "note", content: { gone: true } });
    await send(node, alice, "FORGET", T + 10, { hashes: [small, held, post] });
    const { body } = await price(small, "?include_size=true");
    assert.deepEqual(
      [body.cost, body.payment_type, body.charged_address, (body.detail as Body[]).length],
      ["0.001247742293793479", "credit", alice.address, 1],
    );
    const [line] = body.detail as Body[];
    assert.deepEqual([line?.type, line?.size_mib], ["STORAGE", 1]);
    assert.equal((await price(held)).body.cost, "16.666666650000000000");
    assert.equal((await price(post)).status, 410);
  });

  const estimate = async (type: string, content: object, envelope: object = {}) => {
    const { text, hash } = signed(alice, type as never, T, content as Body);
    const { item_content } = JSON.parse(text) as Body;
    const message = { type, item_type: "inline", item_hash: hash, item_content, ...envelope };
    const response = await node.post("/api/v0/price/estimate", JSON.stringify({ message }));
    return { status: response.status, body: (await response.json()) as Body };
  };
  const estimateInstance = async (content: object) => {
    const body = { address: alice.address, ...content };
    const response = await node.post("/api/v0/price/estimate/instance", JSON.stringify(body));
    return { status: response.status, body: (await response.json()) as Body };
  };
  const ref = "ef".repeat(32);

  test("is estimated as it would be computed: the published examples", async () => {
    const disks = (sizes: readonly number[]) =>
      sizes.map((size_mib, at) => ({ mount: `/v${at}`, persistence: "host", name: `v${at}`, size_mib }));
    const credit = payment("credit");
    const cost = async (type: string, content: object) => {
      const { status, body } = await estimate(type, content);
      assert.equal(status, 200, JSON.stringify(body));
      return body.cost;
    };
    assert.equal(await cost("INSTANCE", instanceContent(ref)), "1000.000000000000000000");
    assert.equal(await cost("INSTANCE", instanceContent(ref, credit)), "3.958333333333333333");
    const volumes = disks([50, 100, 100, 100]);
    assert.equal(await cost("INSTANCE", instanceContent(ref, { volumes })), "1017.500000000000000000");
    const withFile = {
      resources: { vcpus: 1, memory: 128 },
      volumes: [{ ref, mount: "/opt", estimated_size_mib: 1 }, ...disks([5, 10, 10, 10])],
    };
    assert.equal(
      await cost("INSTANCE", instanceContent(ref, { ...withFile, ...credit })),
      "3.960386179641441059",
    );
    assert.equal(await cost("INSTANCE", instanceContent(ref, withFile)), "1001.800000000000000000");
    const program = {
      type: "vm-function",
      allow_amend: false,
      code: { encoding: "zip", entrypoint: "main:app", ref, estimated_size_mib: 2_048 },
      runtime: { ref, comment: "", estimated_size_mib: 1_024 },
      data: { encoding: "zip", mount: "/data", ref, estimated_size_mib: 2_048 },
      on: { http: true },
      environment: { internet: true },
      resources: { vcpus: 1, memory: 2_048 },
      volumes: [{ ref, mount: "/opt", estimated_size_mib: 512 }, ...disks([1_024])],
    };
    assert.equal(await cost("PROGRAM", program), "630.400000000000000000");
    const file = { item_type: "storage", item_hash: ref };
    assert.equal(await cost("STORE", { ...file, ...credit, estimated_size_mib: 1 }), "0.001247742293793479");
    assert.equal(await cost("STORE", { ...file, estimated_size_mib: 50.0 }), "16.666666650000000000");
    assert.equal(await cost("STORE", file), "0.000000000000000000");
    const gpu = {
      ...instanceContent(ref),
      requirements: gpuOf(GPU_4090),
      resources: { vcpus: 8, memory: 16_384 },
    };
    const priced = { ...gpu, environment: { hypervisor: "qemu" }, ...credit };
    assert.equal(await cost("INSTANCE", priced), "95.833333333333333333");
  });

  const gpuOf = (device_id: string) => ({
    gpu: [{ vendor: "NVIDIA", device_name: "d", device_class: "0300", device_id }],
    node: { node_hash: "ab".repeat(32) },
  });

  test("is estimated from the files that are here, where the client names no size", async () => {
    const message = await store(node, alice, T + 20, 3 * MIB);
    const fileHash = ((await node.json(`/api/v0/storage/by-message-hash/${message}`)) as Body).file_hash;
    const file = await estimate("STORE", { item_type: "storage", item_hash: fileHash });
    assert.equal((file.body.detail as Body[])[0]?.size_mib, 3);
    const volumes = [{ ref: message, mount: "/opt" }];
    const { body } = await estimate("INSTANCE", instanceContent(ref, { volumes }));
    const line = (body.detail as Body[]).find(({ name }) => name === "#0:/opt");
    assert.deepEqual([line?.size_mib, line?.cost_hold], [3, "0.150000000000000000"]);
    const unknown = await estimate("INSTANCE", instanceContent(ref, { volumes: [{ ref, mount: "/opt" }] }));
    assert.equal((unknown.body.detail as Body[]).length, 3, "a file that leads nowhere has no line");
  });

  test("of an instance is estimated from its content alone", async () => {
    const { allow_amend: _, ...content } = instanceContent(ref, payment("credit"));
    const { status, body } = await estimateInstance(content);
    assert.deepEqual([status, body.cost, body.charged_address], [200, "3.958333333333333333", alice.address]);
    const malformed = await node.post("/api/v0/price/estimate/instance", "{");
    assert.equal(malformed.status, 400);
    const invalid = await estimateInstance({ ...content, rootfs: null });
    assert.equal(invalid.status, 422);
    assert.deepEqual((invalid.body as unknown as Body[])[0]?.loc, ["rootfs"]);
  });

  test("of a verifiable program is that of a confidential machine, in credits", async () => {
    const files = await store(node, alice, T + 21, MIB);
    const message = vprogram(alice, T + 22, files);
    const known = await price(await accept(node, message));
    const execution = {
      type: "EXECUTION",
      name: "instance_confidential",
      cost_hold: "4000.000000000000000000",
      cost_stream: "0.000061111111111111",
      cost_credit: "15.833333333333333333",
      size_mib: null,
    };
    const { item_content: text } = JSON.parse(message.text) as { item_content: string };
    const { time: _time, allow_amend: _amend, ...content } = JSON.parse(text) as Body;
    const short = JSON.stringify(content);
    const body = JSON.stringify({
      message: { type: "V-PROGRAM", item_hash: hashOf(short), item_content: short },
    });
    const estimated = await node.post("/api/v0/price/estimate", body);
    for (const [status, { detail, ...figures }] of [
      [known.status, known.body],
      [estimated.status, (await estimated.json()) as Body],
    ] as const) {
      assert.equal(status, 200);
      assert.deepEqual(
        (detail as Body[]).find(({ type }) => type === "EXECUTION"),
        execution,
      );
      assert.deepEqual([figures.payment_type, figures.charged_address], ["credit", alice.address]);
    }
    const poor = await estimate("V-PROGRAM", { ...content, payment: { type: "hold" } });
    assert.equal(poor.status, 422, "a verifiable program is paid with credits alone");
  });

  test("of a content that is not inline is estimated out of its file", async () => {
    const content = { address: alice.address, time: T, item_type: "storage", item_hash: ref };
    const sized = JSON.stringify({ ...content, estimated_size_mib: 50 });
    const upload = async (engine: "storage" | "ipfs", text: string): Promise<string> => {
      const form = new FormData();
      form.append("file", new Blob([text]));
      const answer = await node.post(`/api/v0/${engine}/add_file`, form);
      return ((await answer.json()) as { hash: string }).hash;
    };
    const ask = async (hash: string, envelope: Body = {}) => {
      const message = { type: "STORE", item_hash: hash, ...envelope };
      const response = await node.post("/api/v0/price/estimate", JSON.stringify({ message }));
      return { status: response.status, body: (await response.json()) as Body };
    };
    for (const engine of ["storage", "ipfs"] as const) {
      const hash = await upload(engine, sized);
      for (const envelope of [{ item_type: engine }, { item_content: null }]) {
        const { status, body } = await ask(hash, envelope);
        assert.deepEqual([status, body.cost], [200, "16.666666650000000000"], JSON.stringify(body));
      }
    }
    // Whose it is may be left to the envelope.
    const { address: _, ...ownerless } = content;
    const mine = await ask(await upload("storage", JSON.stringify({ ...ownerless, estimated_size_mib: 1 })), {
      sender: alice.address,
    });
    assert.deepEqual([mine.status, mine.body.charged_address], [200, alice.address]);
    const problem = async (text: string, envelope?: Body) => {
      const { status, body } = await ask(await upload("storage", text), envelope);
      const [first] = body as unknown as readonly { readonly loc: readonly unknown[] }[];
      return [status, ...(first?.loc ?? [])];
    };
    assert.deepEqual(await problem("no JSON"), [422, "message", "item_hash"]);
    assert.deepEqual(await problem("[1]"), [422, "message", "item_hash"]);
    const { item_hash: __, ...nameless } = content;
    assert.deepEqual(await problem(JSON.stringify(nameless)), [422, "message", "content", "item_hash"]);
    const large = await ask(await upload("storage", `"${"x".repeat(MIB)}"`));
    assert.deepEqual([large.status, (large.body.error as Body).code], [422, "API_UNPROCESSABLE"]);
    const unknown = await ask("cd".repeat(32));
    assert.deepEqual([unknown.status, (unknown.body.error as Body).code], [409, "API_CONTENT_UNAVAILABLE"]);
  });

  test("of a malformed or unsellable message is refused with what is wrong", async () => {
    const code = { item_type: "storage", item_hash: ref };
    for (const [name, answer, loc] of [
      ["another type", await estimate("POST", { type: "note", content: {} }), ["message", "type"]],
      ["hash", await estimate("STORE", code, { item_hash: "ab".repeat(32) }), ["message", "item_hash"]],
      ["no content", await estimate("STORE", code, { item_content: null }), ["message", "item_content"]],
      ["schema", await estimate("STORE", { item_type: "storage" }), ["message", "content", "item_hash"]],
      [
        "size",
        await estimate("STORE", { ...code, estimated_size_mib: -1 }),
        ["message", "content", "estimated_size_mib"],
      ],
      [
        "size of a volume",
        await estimate("INSTANCE", instanceContent(ref, { volumes: [{ ref, estimated_size_mib: 1.5 }] })),
        ["message", "content", "volumes", 0, "estimated_size_mib"],
      ],
    ] as const) {
      assert.equal(answer.status, 422, name);
      assert.deepEqual((answer.body as unknown as Body[])[0]?.loc, loc, name);
    }
    for (const body of ["", "{", "[]", "null", "{}", '{"message":3}', '{"message":{}}']) {
      assert.equal((await node.post("/api/v0/price/estimate", body)).status, 422, body);
    }
    const stored = { type: "STORE", item_type: "storage", item_hash: "cd".repeat(32) };
    const absent = await node.post("/api/v0/price/estimate", JSON.stringify({ message: stored }));
    assert.equal(absent.status, 409);
    const unknown = await estimate("INSTANCE", {
      ...instanceContent(ref, { environment: { hypervisor: "qemu" } }),
      requirements: gpuOf("10de:ffff"),
    });
    assert.equal(unknown.status, 422);
    const { error } = unknown.body as { error: { message: string; details: Body } };
    assert.match(error.message, /GPU device_id 10de:ffff not found in compatible GPUs/);
    assert.equal(error.details.reason, "PRICE_GPU_UNKNOWN");
  });

  test("follows the prices in force at once, and the message keeps its own", async () => {
    const before = await store(node, alice, T + 30, 50 * MIB);
    const content = { item_type: "storage", item_hash: ref, estimated_size_mib: 50 };
    const dearer = { price: { storage: { holding: "1", credit: "1" } } };
    await send(node, publishers.prices, "AGGREGATE", T + 31, {
      key: "pricing",
      content: { ...pricing(), storage: dearer },
    });
    const { body } = await estimate("STORE", content);
    assert.equal(body.cost, "50.000000000000000000");
    const kept = (await price(before)).body;
    assert.equal(kept.cost, "16.666666650000000000");
    assert.notEqual(kept.pricing_revision, body.pricing_revision);

    await send(node, publishers.prices, "AGGREGATE", T + 32, {
      key: "pricing",
      content: { storage: "free" },
    });
    assert.equal(
      (await estimate("STORE", content)).body.cost,
      "50.000000000000000000",
      "the last good list holds",
    );
    await accept(
      node,
      signed(publishers.prices, "AGGREGATE", T + 33, {
        key: "pricing",
        content: { storage: dearer, program: null },
      }),
    );
  });
});

test("a list that cannot be used leaves the one before in force, whether or not anybody asked for that", async (t) => {
  const node = await startRealNode(t);
  const list = (storage: unknown) => ({ key: "pricing", content: { ...pricing(), storage } });
  await send(node, publishers.prices, "AGGREGATE", T, list({ price: { storage: { holding: "7" } } }));
  await send(node, publishers.prices, "AGGREGATE", T + 1, list("free"));
  const content = { item_type: "storage", item_hash: "ef".repeat(32), estimated_size_mib: 1 };
  const { text, hash } = signed(alice, "STORE", T, content);
  const { item_content } = JSON.parse(text) as Body;
  const body = JSON.stringify({ message: { type: "STORE", item_hash: hash, item_content } });
  const answer = (await (await node.post("/api/v0/price/estimate", body)).json()) as Body;
  assert.equal(answer.cost, "7.000000000000000000");
});
