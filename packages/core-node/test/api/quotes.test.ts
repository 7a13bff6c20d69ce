import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import type { NetworkDefinition } from "@twentysix/protocol";
import { QUOTE } from "../../src/api/explanations/quote-schema.ts";
import {
  balancePost,
  distribution,
  ledgerNetwork,
  ledgerNode,
  outcomes,
  priceListOf,
} from "../ledger/support/ledger-node.ts";
import { instanceOf, programOf, storeOf } from "../ledger/support/paid-messages.ts";
import { evm, type Signed, vprogram } from "../pipeline/support/signed.ts";
import type { StateHarness } from "../pipeline/support/state-harness.ts";
import { amountsOf, assertDescribed, type ExplainedFile, explain, type Step } from "./support/explained.ts";
import { apiOver } from "./support/harness-api.ts";
import type { TestApi } from "./support/start-api.ts";

const T = 1_790_000_000;
const MIB = 1024 * 1024;
const owner = evm("who asks what it would cost");
const { address } = owner;
const definition = ledgerNetwork("local");
const UNKNOWN = "ab".repeat(32);

interface Quote {
  readonly quote_id: string;
  readonly price_list: string;
  readonly owner: string;
  readonly payment_type: string;
  readonly accepted: boolean;
  readonly rule: { readonly name: string };
  readonly price: Price;
  readonly files: readonly ExplainedFile[];
  readonly arithmetic: readonly Step[];
  readonly unresolved: readonly string[];
  readonly changes: readonly string[];
  readonly since_quote: {
    readonly price_list: string;
    readonly is_same: boolean;
    readonly before: Price | null;
    readonly lines: readonly object[];
    readonly differences: readonly object[];
  } | null;
}

interface Price {
  readonly amount: string;
  readonly unit: string;
  readonly per_hour: string | null;
  readonly per_day: string | null;
}

async function nodeAtStart(): Promise<StateHarness> {
  const node = await ledgerNode(definition);
  node.nowMicros = BigInt(T + 20) * 1_000_000n;
  await node.announcePrices();
  return node;
}

async function ask(api: TestApi, body: object): Promise<{ readonly status: number; readonly body: unknown }> {
  const response = await api.post("/api/v1/quote", JSON.stringify(body));
  return { status: response.status, body: await response.json() };
}

async function quote(api: TestApi, body: object): Promise<Quote> {
  const answer = await ask(api, body);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  assertDescribed(QUOTE, answer.body as object);
  return answer.body as Quote;
}

/** The message of a signed envelope without its signature, as a client has it before. */
function unsigned({ text }: Signed): { readonly type: string; readonly item_content: string } {
  const { type, item_content } = JSON.parse(text) as { type: string; item_content: string };
  return { type, item_content };
}

const fileContent = (members: object = {}): object => ({
  address,
  time: T,
  item_type: "storage",
  item_hash: UNKNOWN,
  ...members,
});

/** The list of the network with another price of one product. */
function listWith(
  product: keyof NetworkDefinition["pricing"],
  rates: object,
): Readonly<Record<string, object>> {
  const known = definition.pricing[product];
  assert.ok(known !== undefined);
  const storage = { ...known.price.storage, ...rates };
  return { ...definition.pricing, [product]: { ...known, price: { ...known.price, storage } } };
}

describe("a quote", () => {
  test("for a function is what the function then costs", async (t) => {
    await using node = await nodeAtStart();
    await outcomes(node, balancePost(T, { [address]: 10_000 }));
    const code = await storeOf(node, owner, T + 1, 3);
    await outcomes(node, code);
    const api = await apiOver(t, node, definition);
    const program = programOf(owner, T + 2, code.hash, { persistent: true });
    const quoted = await quote(api, { message: unsigned(program) });
    assert.deepEqual(
      [quoted.payment_type, quoted.accepted, quoted.rule.name, quoted.owner],
      ["hold", true, "funds-suffice", address],
    );
    assert.deepEqual(quoted.price, {
      amount: "1000.000000000000000000",
      unit: "tokens",
      per_hour: null,
      per_day: null,
    });
    assert.deepEqual(
      quoted.files.map(({ name, used_as: usedAs, size, billed_mib: mib }) => [name, usedAs, size, mib]),
      [
        [code.hash, "code", 3 * MIB, "3"],
        [code.hash, "runtime", 3 * MIB, "3"],
      ],
    );
    assert.deepEqual(quoted.unresolved, []);
    assert.deepEqual(
      quoted.arithmetic.map(({ line, formula, amount }) => [line, formula, amount]).slice(0, 2),
      [
        ["EXECUTION", "1 compute units × 1000, rounded down to 18 places", "1000.000000000000000000"],
        ["EXECUTION_PROGRAM_VOLUME_CODE", "3 MiB × 0.05, rounded down to 18 places", "0.150000000000000000"],
      ],
    );
    assert.deepEqual(await outcomes(node, program), ["processed"]);
    const explained = await explain(api, program.hash);
    assert.equal(explained.inputs.price_list, quoted.price_list);
    const bill = quoted.arithmetic.filter(({ line }) => /^EXECUTION|^TOTAL/.test(line));
    assert.deepEqual(explained.arithmetic.slice(0, bill.length), bill);
  });

  test("for an instance is what the instance then costs, in credits a second, an hour and a day", async (t) => {
    await using node = await nodeAtStart();
    const image = await storeOf(node, evm("who made the image"), T - 5, 1);
    await outcomes(node, image, distribution(T, { address, amount: 400_000 }));
    const api = await apiOver(t, node, definition);
    const machine = instanceOf(owner, T + 1, image.hash, { payment: "credit", rootfsMib: 40_960 });
    const quoted = await quote(api, { message: unsigned(machine) });
    assert.deepEqual(quoted.price, {
      amount: "4.980483820408951920",
      unit: "credits/s",
      per_hour: "17929.741753472226912000",
      per_day: "430313.802083333445888000",
    });
    assert.deepEqual([quoted.accepted, quoted.rule.name], [false, "funds-missing"]);
    assert.equal(amountsOf(quoted).SHORT, "30313.802083333445888000");
    assert.deepEqual(await outcomes(node, machine), ["rejected"]);
    await outcomes(node, distribution(T + 2, { address, amount: 40_000 }));
    assert.equal((await quote(api, { message: unsigned(machine) })).accepted, true);
    const again = instanceOf(owner, T + 3, image.hash, { payment: "credit", rootfsMib: 40_960 });
    assert.deepEqual(await outcomes(node, again), ["processed"]);
    assert.equal(amountsOf(await explain(api, again.hash)).TOTAL, quoted.price.amount);
  });

  test("for a verifiable program names its files, of which none is priced", async (t) => {
    await using node = await nodeAtStart();
    const image = await storeOf(node, evm("who made the image"), T - 5, 1);
    await outcomes(node, image, distribution(T, { address, amount: 2_000_000 }));
    const api = await apiOver(t, node, definition);
    const program = vprogram(owner, T + 1, image.hash);
    const quoted = await quote(api, { message: unsigned(program) });
    assert.deepEqual(
      [quoted.payment_type, quoted.accepted, quoted.rule.name],
      ["credit", true, "funds-suffice"],
    );
    assert.deepEqual(
      quoted.files.map(({ used_as: usedAs, size, billed_mib: mib }) => [usedAs, size, mib]).slice(0, 3),
      [
        ["runtime", MIB, null],
        ["workload", MIB, null],
        ["hash_tree", MIB, null],
      ],
    );
    assert.deepEqual(await outcomes(node, program), ["processed"]);
    assert.equal(amountsOf(await explain(api, program.hash)).TOTAL, quoted.price.amount);
  });

  test("for a file that is held for says what is held, and what is missing", async (t) => {
    await using node = await nodeAtStart();
    await outcomes(node, balancePost(T, { [address]: 15 }));
    const api = await apiOver(t, node, definition);
    const message = { type: "STORE", content: fileContent() };
    const quoted = await quote(api, { message, estimated_size: 50 * MIB });
    assert.deepEqual(quoted.price, {
      amount: "16.666666650000000000",
      unit: "tokens",
      per_hour: null,
      per_day: null,
    });
    assert.deepEqual([quoted.payment_type, quoted.accepted], ["hold", false]);
    assert.equal(amountsOf(quoted).SHORT, "1.666666650000000000");
    assert.deepEqual(
      quoted.files.map(({ name, size, billed_mib: mib }) => [name, size, mib]),
      [[UNKNOWN, 50 * MIB, "50"]],
    );
    const small = await quote(api, { message, estimated_size: 20 * MIB });
    assert.deepEqual([small.accepted, small.rule.name], [true, "free-by-size"]);
  });

  test("names the files that are not known, which it does not price", async (t) => {
    await using node = await nodeAtStart();
    await outcomes(node, balancePost(T, { [address]: 10_000 }));
    const api = await apiOver(t, node, definition);
    const program = await quote(api, { message: unsigned(programOf(owner, T + 2, UNKNOWN)) });
    assert.deepEqual(program.unresolved, [UNKNOWN]);
    assert.deepEqual(
      program.arithmetic.map(({ line }) => line).filter((line) => line.startsWith("EXECUTION")),
      ["EXECUTION", "EXECUTION_VOLUME_DISCOUNT"],
    );
    assert.deepEqual(
      program.files.map(({ file_hash: hash, size, resolved }) => [hash, size, resolved]),
      [
        [null, null, false],
        [null, null, false],
      ],
    );
    assert.match(program.changes[0] ?? "", /publish what unresolved names first/);
    const file = await quote(api, { message: { type: "STORE", content: fileContent() } });
    assert.deepEqual(file.unresolved, [UNKNOWN]);
    assert.match(file.changes[0] ?? "", /estimated_size/);
  });
});

describe("a quote after an earlier one", () => {
  const message = { type: "STORE", content: fileContent({ payment: { type: "credit" } }) };
  const body = { message, estimated_size: 50 * MIB };

  test("says that nothing changed while the same prices hold, whatever else happened", async (t) => {
    await using node = await nodeAtStart();
    const api = await apiOver(t, node, definition);
    const first = await quote(api, body);
    assert.equal(first.since_quote, null);
    await outcomes(node, distribution(T, { address, amount: 1_000_000 }));
    node.nowMicros += 86_400_000_000n;
    const second = await quote(api, { ...body, quote_id: first.quote_id });
    assert.equal(second.quote_id, first.quote_id, "the same content by the same prices");
    assert.deepEqual(second.since_quote, {
      price_list: first.price_list,
      is_same: true,
      before: first.price,
      lines: [],
      differences: [],
    });
    assert.deepEqual([first.accepted, second.accepted], [false, true]);
  });

  test("says exactly which figures changed, and which lines by how much", async (t) => {
    await using node = await nodeAtStart();
    const api = await apiOver(t, node, definition);
    const first = await quote(api, body);
    const { program } = definition.pricing;
    const tiers = program?.tiers ?? [];
    assert.equal(tiers.length, 6);
    const changed = {
      ...listWith("storage", { credit: "3.6" }),
      program: { ...program, tiers: tiers.slice(0, 4) },
    };
    await outcomes(node, priceListOf(T + 1, changed));
    const second = await quote(api, { ...body, quote_id: first.quote_id });
    assert.notEqual(second.price_list, first.price_list);
    assert.equal(second.price.amount, "0.050000000000000000");
    const since = second.since_quote;
    assert.ok(since);
    assert.deepEqual([since.is_same, since.price_list, since.before], [false, first.price_list, first.price]);
    assert.deepEqual(since.lines, [
      {
        line: "STORAGE",
        name: "STORAGE",
        before: "0.002495484587586959",
        now: "0.050000000000000000",
        unit: "credits/s",
      },
    ]);
    const gone = [4, 5].map((at) => ({ path: `pricing.program.tiers.${at}`, before: tiers[at], now: null }));
    assert.deepEqual(since.differences, [
      ...gone,
      { path: "pricing.storage.price.storage.credit", before: "0.17967489030626108", now: "3.6" },
    ]);
    // What has changed back is the same list again.
    await outcomes(node, priceListOf(T + 2, definition.pricing));
    const third = await quote(api, { ...body, quote_id: first.quote_id });
    assert.equal(third.since_quote?.is_same, true);
    const fourth = await quote(api, { ...body, quote_id: second.quote_id });
    assert.deepEqual([fourth.since_quote?.is_same, fourth.since_quote?.before], [false, second.price]);
  });

  test("tells of changes that do not touch it, and that its price is the same", async (t) => {
    await using node = await nodeAtStart();
    const api = await apiOver(t, node, definition);
    const first = await quote(api, body);
    await outcomes(node, priceListOf(T + 1, listWith("instance", { holding: "0.07" })));
    const second = await quote(api, { ...body, quote_id: first.quote_id });
    assert.deepEqual(second.price, first.price);
    assert.deepEqual(second.since_quote, {
      price_list: first.price_list,
      is_same: false,
      before: first.price,
      lines: [],
      differences: [{ path: "pricing.instance.price.storage.holding", before: "0.05", now: "0.07" }],
    });
  });

  test("is refused where the earlier one is none, of another content, or by a list that nobody knows", async (t) => {
    await using node = await nodeAtStart();
    const api = await apiOver(t, node, definition);
    const { content } = message;
    const ofContent = createHash("sha256").update(JSON.stringify(content)).digest("hex");
    const refused: readonly (readonly [unknown, RegExp])[] = [
      ["nonsense", /not the id of a quote/],
      [26, /not the id of a quote/],
      [`${UNKNOWN}.${UNKNOWN}`, /another content/],
      [`${UNKNOWN}.${ofContent}`, /a price list that this node does not know/],
    ];
    for (const [quoteId, reason] of refused) {
      const answer = await ask(api, { ...body, quote_id: quoteId });
      assert.equal(answer.status, 422, String(quoteId));
      assert.match(JSON.stringify(answer.body), reason);
    }
    assert.equal((await quote(api, { ...body, quote_id: null })).since_quote, null);
  });
});

test("a quote for what cannot be quoted says why", async (t) => {
  await using node = await nodeAtStart();
  const api = await apiOver(t, node, definition);
  const gpu = { vendor: "NVIDIA", device_name: "X", device_class: "0300", device_id: "ffff:ffff" };
  const machine = {
    ...(JSON.parse(unsigned(instanceOf(owner, T, UNKNOWN)).item_content) as object),
    environment: { hypervisor: "qemu" },
    requirements: { gpu: [gpu], node: { node_hash: UNKNOWN } },
  };
  const refused: readonly (readonly [object, RegExp])[] = [
    [{}, /message must be an object/],
    [{ message: { type: "NOTHING" } }, /not a type of message/],
    [{ message: { type: "STORE" } }, /needs item_content or content/],
    [{ message: { type: "POST", content: { address, time: T, type: "x", content: {} } } }, /costs nothing/],
    [{ message: { type: "STORE", content: { address, time: T } } }, /item_type/],
    [{ message: { type: "INSTANCE", content: machine } }, /no price for it: .*ffff:ffff/],
  ];
  for (const [body, reason] of refused) {
    const answer = await ask(api, body);
    assert.equal(answer.status, 422, JSON.stringify(body));
    assert.match(JSON.stringify(answer.body), reason);
  }
});
