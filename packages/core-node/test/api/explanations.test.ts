import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { localBalances, localGrant } from "../ledger/support/local-authorities.ts";
import { fileOf, instanceOf } from "../ledger/support/paid-messages.ts";
import { evm, forget, post, type Signed, signed } from "../pipeline/support/signed.ts";
import { amountsOf, explain } from "./support/explained.ts";
import { type RealNode, startRealNode } from "./support/real-node.ts";

const owner = evm("who asks why");
const { address } = owner;
const T = Math.floor(Date.now() / 1_000) - 100;

async function submit(node: RealNode, ...messages: readonly Signed[]): Promise<string[]> {
  const statuses: string[] = [];
  for (const { text } of messages) {
    const { status } = await node.pipeline.submit(text, { origin: "http" });
    statuses.push(status);
  }
  return statuses;
}

/** A STORE of a file that the node is told it holds. */
async function storeOf(node: RealNode, time: number, sizeMib: number, payment?: "credit"): Promise<Signed> {
  const file = fileOf(sizeMib, `${time}`);
  await node.pipeline.registerFile({ ...file, type: "file", sha256: null, cid: null }, null);
  const paid = payment === undefined ? {} : { payment: { type: payment } };
  return signed(owner, "STORE", time, { item_type: "storage", item_hash: file.hash, ...paid });
}

test("why a file was refused: what was added to what, and what is missing", async (context: TestContext) => {
  const node = await startRealNode(context);
  await submit(node, localBalances(T, { [address]: 15 }));
  const [small, large] = [await storeOf(node, T + 1, 30), await storeOf(node, T + 2, 50)];
  assert.deepEqual(await submit(node, small, large), ["processed", "rejected"]);
  const explained = await explain(node, large.hash);
  assert.equal(explained.status, "rejected");
  assert.equal(explained.rule.name, "BALANCE_INSUFFICIENT");
  assert.equal(explained.inputs.rule_now, "funds-missing");
  assert.match(String(explained.inputs.price_list), /^[0-9a-f]{64}$/);
  assert.deepEqual(amountsOf(explained), {
    STORAGE: "16.666666650000000000",
    TOTAL: "16.666666650000000000",
    COMMITTED: "9.999999990000000000",
    ADDED: "16.666666650000000000",
    REQUIRED: "26.666666640000000000",
    AVAILABLE: "15.000000000000000000",
    SHORT: "11.666666640000000000",
  });
  assert.match(explained.arithmetic[0]?.formula ?? "", /^50 MiB × 0\.333333333, rounded down/);
  await submit(node, localBalances(T + 10, { [address]: 100 }));
  const later = await explain(node, large.hash);
  assert.ok(later.changes.includes("it would be accepted now: submit it again"));
});

test("why a machine is billed, and what is left for it behind older ones", async (context) => {
  const node = await startRealNode(context, { reader: {} });
  await submit(node, localBalances(T, { [address]: 15 }), localGrant(T, address, 1_000_000));
  const image = await storeOf(node, T + 1, 30);
  const machines = [T + 2, T + 3].map((time) => instanceOf(owner, time, image.hash, { payment: "credit" }));
  assert.deepEqual(await submit(node, image, ...machines), ["processed", "processed", "processed"]);
  const [first, second] = machines;
  assert.ok(first !== undefined && second !== undefined);
  const explained = await explain(node, second.hash);
  assert.equal(explained.rule.name, "funds-suffice");
  const lines = amountsOf(explained);
  assert.equal(lines.TOTAL, "3.958333333333333333");
  assert.equal(lines.BEFORE, "341999.999999999999971200");
  assert.equal(lines.LEFT, "658000.000000000000028800");
  assert.equal(lines.NEEDED, "341999.999999999999971200");
  const execution = explained.arithmetic.find(({ line }) => line === "EXECUTION");
  assert.deepEqual(execution, {
    line: "EXECUTION",
    name: "instance",
    formula: "1 compute units × (14250 / 3600 s), at least 1 / 3600 s, rounded down to 18 places",
    amount: "3.958333333333333333",
    unit: "credits/s",
  });
});

test("why a file is about to be removed, and when", async (context) => {
  const node = await startRealNode(context);
  await submit(node, localBalances(T, { [address]: 15 }));
  const file = await storeOf(node, T + 1, 30);
  await submit(node, file, localBalances(T + 10, { [address]: 5 }));
  const deadline = Date.now() + 20_000;
  while ((await node.reads.statusOf(file.hash))?.status !== "removing") {
    assert.ok(Date.now() < deadline, "the sweep did not come");
    await new Promise((resolve) => setImmediate(resolve));
  }
  const explained = await explain(node, file.hash);
  assert.equal(explained.rule.name, "balance_insufficient");
  assert.equal(explained.inputs.confirmed_by_a_later_publication, false);
  const [since, until] = [explained.inputs.removing_since, explained.inputs.delete_by].map((iso) =>
    Date.parse(String(iso)),
  );
  assert.equal((until ?? 0) - (since ?? 0), 90_000_000, "25 hours later");
  assert.equal(amountsOf(explained).LEFT, "5.000000000000000000");
});

test("why what costs nothing, is forgotten or unknown stands as it does", async (context) => {
  const node = await startRealNode(context);
  const [note, other] = [post(owner, T, "one"), post(owner, T + 1, "two")];
  await submit(node, note, other, forget(owner, T + 2, [other.hash]));
  assert.equal((await explain(node, note.hash)).rule.name, "accepted");
  const forgotten = await explain(node, other.hash);
  assert.equal(forgotten.rule.name, "forgotten");
  assert.equal((forgotten.inputs.forgotten_by as string[]).length, 1);
  const unknown = await fetch(`${node.url}/api/v1/messages/${"ab".repeat(32)}/explanation`);
  assert.equal(unknown.status, 404);
});
