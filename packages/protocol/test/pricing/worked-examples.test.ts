import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import {
  formatAtto,
  type JsonObject,
  type MessageCost,
  type MessageType,
  messageCost,
  mibOfBytes,
  PriceDecimal,
  PricingError,
  parseJson,
  parseNetworkDefinition,
  priceBookOf,
  type TypedContent,
  validateContent,
} from "../../src/index.ts";

/*
 * The worked examples of the network's price rules, exact to the last digit.
 * Source: pyaleph tests/services/test_cost_service.py and its siblings.
 */

const HASH = "5f0c".repeat(16);
const definition = mainnet();
const prices = priceBookOf(definition.pricing);
const MIB = 1024 * 1024;

function mainnet() {
  const parsed = parseJson(
    readFileSync(new URL("../../../../networks/mainnet.json", import.meta.url), "utf8"),
  );
  assert.ok(parsed.ok);
  const result = parseNetworkDefinition(parsed.value);
  assert.ok(result.ok);
  return result.definition;
}

function typed(type: MessageType, content: JsonObject): TypedContent {
  const result = validateContent(
    type,
    { address: "0xA", time: 1, ...content },
    { creditInstancesWithoutNode: true },
  );
  assert.ok(result.ok, JSON.stringify(result));
  return { type, content: result.content } as TypedContent;
}

/** `files`: MiB by part of the content. */
function cost(
  type: MessageType,
  content: JsonObject,
  files: Readonly<Record<string, number>> = {},
): MessageCost {
  const stored = files.store;
  return messageCost({
    typed: typed(type, content),
    itemHash: HASH,
    prices,
    settings: definition.settings,
    sizeOf: ({ part }) => (files[part] === undefined ? null : new PriceDecimal(files[part])),
    storedMib: stored === undefined ? null : mibOfBytes(stored * MIB),
  });
}

const persistent = (sizeMib: number): JsonObject => ({
  mount: `/v${sizeMib}`,
  size_mib: sizeMib,
  persistence: "host",
  name: "v",
});
const ephemeral = (sizeMib: number): JsonObject => ({
  mount: `/e${sizeMib}`,
  size_mib: sizeMib,
  ephemeral: true,
});
const immutable = { ref: HASH, mount: "/ro" };

function instance(overrides: JsonObject = {}, rootfsMib = 20_480): JsonObject {
  return {
    allow_amend: false,
    environment: { hypervisor: "qemu" },
    resources: { vcpus: 1, memory: 2048 },
    rootfs: { parent: { ref: HASH }, persistence: "host", size_mib: rootfsMib },
    payment: { type: "credit" },
    ...overrides,
  };
}

function gpu(...deviceIds: string[]): JsonObject {
  return {
    requirements: {
      node: { node_hash: HASH },
      gpu: deviceIds.map((deviceId) => ({
        vendor: "NVIDIA",
        device_name: "x",
        device_class: "0300",
        device_id: deviceId,
      })),
    },
  };
}

const onDemand: JsonObject = {
  type: "vm-function",
  allow_amend: false,
  code: { encoding: "zip", entrypoint: "main:app", ref: HASH },
  runtime: { ref: HASH, comment: "" },
  data: { encoding: "zip", mount: "/data", ref: HASH },
  on: { http: true },
  environment: { internet: true },
  resources: { vcpus: 1, memory: 128 },
  volumes: [immutable, persistent(1024)],
  payment: { type: "credit" },
};

const verifiable: JsonObject = {
  allow_amend: false,
  payment: { type: "credit" },
  environment: { internet: true },
  resources: { vcpus: 2, memory: 2048 },
  runtime: { ref: HASH },
  workload: { ref: HASH, hash_tree: HASH, roothash: HASH },
  verification: {
    backend: "sev_snp",
    policy: 196_608,
    measurements: [{ platform: "sev_snp", registers: { launch: "ab".repeat(48) } }],
  },
};

const confidential = { environment: { hypervisor: "qemu", trusted_execution: { policy: 1 } } };
const RTX_4090 = "10de:2684";
const L40S = "10de:26b9";
const A100 = "10de:20b2";

interface Example {
  readonly name: string;
  readonly bill: MessageCost;
  readonly hold?: string;
  readonly stream?: string;
  readonly credit?: string;
}

const store = (type: string): JsonObject => ({ item_type: "storage", item_hash: HASH, payment: { type } });

const EXAMPLES: readonly Example[] = [
  {
    name: "1: an instance",
    bill: cost("INSTANCE", instance()),
    hold: "1000",
    stream: "0.000015277777777777",
    credit: "3.958333333333333333",
  },
  {
    name: "2: confidential",
    bill: cost("INSTANCE", instance(confidential)),
    hold: "2000",
    stream: "0.000030555555555555",
    credit: "7.916666666666666666",
  },
  {
    name: "3: small volumes",
    bill: cost(
      "INSTANCE",
      instance({ volumes: [persistent(50), persistent(100), persistent(100), persistent(100)] }),
    ),
    hold: "1017.50",
    stream: "0.000015372763888884",
    credit: "3.975801725446442045",
  },
  {
    name: "4: large volumes",
    bill: cost(
      "INSTANCE",
      instance({ volumes: [persistent(50), persistent(1024), persistent(10_240), persistent(51_200)] }),
    ),
    hold: "4125.70",
    stream: "0.000032243382777775",
    credit: "7.078387803501556985",
  },
  {
    name: "5: an immutable file",
    bill: cost(
      "INSTANCE",
      instance({
        resources: { vcpus: 1, memory: 128 },
        volumes: [immutable, ephemeral(5), persistent(10), persistent(10), persistent(10)],
      }),
      { "0": 1 },
    ),
    hold: "1001.80",
    stream: "0.000015287547777772",
    credit: "3.960386179641441059",
  },
  {
    name: "6: a larger disk",
    bill: cost("INSTANCE", instance({}, 40_960)),
    hold: "2024",
    stream: "0.000020835822222220",
    credit: "4.980483820408951920",
  },
  {
    name: "7: four cores",
    bill: cost("INSTANCE", instance({ resources: { vcpus: 4, memory: 2048 } })),
    hold: "4000",
    stream: "0.000061111111111111",
    credit: "15.833333333333333333",
  },
  {
    name: "8: a function on demand",
    bill: cost("PROGRAM", onDemand, { code: 2048, runtime: 1024, data: 2048, "0": 512 }),
    hold: "630.40",
    stream: "0.000007361671111109",
    credit: "7.361671111111111109",
  },
  {
    name: "9: a verifiable program",
    bill: cost("V-PROGRAM", verifiable),
    hold: "4000",
    stream: "0.000061111111111111",
    credit: "15.833333333333333333",
  },
  {
    name: "10: a GPU that brings too few units",
    bill: cost("INSTANCE", instance({ ...gpu(RTX_4090), resources: { vcpus: 8, memory: 16_384 } })),
    hold: "2240",
    stream: "0.000622222222222222",
    credit: "95.833333333333333333",
  },
  {
    name: "11: two A100",
    bill: cost("INSTANCE", instance(gpu(A100, A100))),
    hold: "17920",
    stream: "0.004977777777777777",
    credit: "766.666666666666666666",
  },
  {
    name: "12: two standard GPUs",
    bill: cost("INSTANCE", instance(gpu(RTX_4090, L40S))),
    hold: "5040",
    stream: "0.001400000000000000",
    credit: "215.625000000000000000",
  },
  {
    name: "13: GPUs of both classes",
    bill: cost("INSTANCE", instance(gpu(A100, RTX_4090))),
    hold: "10640",
    stream: "0.002955555555555554",
    credit: "455.208333333333333333",
  },
  {
    name: "15: a file of 1 MiB, credits",
    bill: cost("STORE", store("credit"), { store: 1 }),
    credit: "0.001247742293793479",
  },
  {
    name: "15: a file of 25 MiB, credits",
    bill: cost("STORE", store("credit"), { store: 25 }),
    credit: "0.001247742293793479",
  },
  {
    name: "16: a file of 50 MiB",
    bill: cost("STORE", store("credit"), { store: 50 }),
    hold: "16.66666665",
    credit: "0.002495484587586959",
  },
  {
    name: "17: a file of 100 MiB",
    bill: cost("STORE", store("credit"), { store: 100 }),
    hold: "33.3333333",
    credit: "0.004990969175173918",
  },
  {
    name: "18: a file of 1 GiB",
    bill: cost("STORE", store("credit"), { store: 1024 }),
    hold: "341.333332992",
    credit: "0.051107524353780929",
  },
  {
    name: "19: a file of 25 MiB, tokens held",
    bill: cost("STORE", store("hold"), { store: 25 }),
    hold: "8.333333325",
  },
];

const exact = (text: string): string => {
  const [whole = "0", fraction = ""] = text.split(".");
  return `${whole}.${fraction.padEnd(18, "0")}`;
};

describe("prices: worked examples", () => {
  for (const { name, bill, hold, stream, credit } of EXAMPLES) {
    it(name, () => {
      if (hold !== undefined) assert.equal(formatAtto(bill.total.holdAtto), exact(hold));
      if (stream !== undefined) assert.equal(formatAtto(bill.total.streamAttoPerSecond), exact(stream));
      if (credit !== undefined) assert.equal(formatAtto(bill.total.creditAttoPerSecond), exact(credit));
    });
  }

  it("14: an unknown GPU is an error that names it", () => {
    assert.throws(
      () => cost("INSTANCE", instance(gpu("10de:ffff"))),
      (error: unknown) => {
        assert.ok(error instanceof PricingError);
        assert.equal(error.code, "PRICE_GPU_UNKNOWN");
        assert.match(error.message, /10de:ffff not found in compatible GPUs/);
        return true;
      },
    );
  });

  it("a device id that two models share is priced by the one that has a tier", () => {
    const bill = cost("INSTANCE", instance(gpu("10de:2685")));
    assert.deepEqual(
      bill.lines.filter((line) => line.type === "EXECUTION").map((line) => line.name),
      ["instance_gpu_standard"],
    );
  });

  it("the lines of an instance are those that clients look for", () => {
    const lines = cost(
      "INSTANCE",
      instance({ volumes: [persistent(50), { size_mib: 10, ephemeral: true }] }),
    ).lines;
    assert.deepEqual(
      lines.map((line) => [line.type, line.name]),
      [
        ["EXECUTION", "instance"],
        ["EXECUTION_INSTANCE_VOLUME_ROOTFS", "EXECUTION_INSTANCE_VOLUME_ROOTFS"],
        ["EXECUTION_VOLUME_PERSISTENT", "#0:/v50"],
        ["EXECUTION_VOLUME_PERSISTENT", "#1:CostType.EXECUTION_VOLUME_PERSISTENT"],
        ["EXECUTION_VOLUME_DISCOUNT", "EXECUTION_VOLUME_DISCOUNT"],
      ],
    );
    const [execution, rootfs] = lines;
    assert.equal(formatAtto(execution?.holdAtto ?? 0n), exact("1000"));
    assert.equal(formatAtto(rootfs?.holdAtto ?? 0n), exact("1024"));
    assert.equal(formatAtto(rootfs?.streamAttoPerSecond ?? 0n), "0.000005558044444444");
    assert.equal(formatAtto(rootfs?.creditAttoPerSecond ?? 0n), "1.022150487075618588");
  });

  it("a tiny root disk costs the minimum and is discounted again", () => {
    const bill = cost("INSTANCE", instance({}, 1));
    const rootfs = bill.lines.find((line) => line.type === "EXECUTION_INSTANCE_VOLUME_ROOTFS");
    assert.equal(formatAtto(rootfs?.creditAttoPerSecond ?? 0n), "0.000277777777777777");
    assert.equal(formatAtto(bill.total.creditAttoPerSecond), exact("3.958333333333333333"));
  });

  it("messages that use no resources, and files of unknown size, cost nothing", () => {
    assert.deepEqual(cost("POST", { type: "note", content: {} }).lines, []);
    assert.deepEqual(cost("STORE", store("credit")).lines, []);
  });
});
