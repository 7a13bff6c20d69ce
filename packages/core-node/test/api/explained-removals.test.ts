import assert from "node:assert/strict";
import { test } from "node:test";
import { formatIsoZ } from "@twentysix/protocol";
import {
  balancePost,
  distribution,
  expense,
  ledgerNetwork,
  ledgerNode,
  outcomes,
  priceListOf,
} from "../ledger/support/ledger-node.ts";
import { fileOf, instanceOf, programOf, storeOf } from "../ledger/support/paid-messages.ts";
import { evm, forget } from "../pipeline/support/signed.ts";
import type { StateHarness } from "../pipeline/support/state-harness.ts";
import { amountsOf, explain } from "./support/explained.ts";
import { apiOver } from "./support/harness-api.ts";

const T = 1_790_000_000;
const owner = evm("who asks what became of it");
const GRACE_MICROS = 90_000_000_000n;

async function nodeAtStart(definition = ledgerNetwork("local")): Promise<StateHarness> {
  const node = await ledgerNode(definition);
  node.nowMicros = BigInt(T + 20) * 1_000_000n;
  return node;
}

/** An authority publishes something else, so that what is overdue is removed at the next look. */
async function endGrace(node: StateHarness, newsTime = T + 200_000): Promise<void> {
  node.nowMicros += GRACE_MICROS + 1n;
  await outcomes(
    node,
    balancePost(newsTime, { "0xNews": 1 }),
    distribution(newsTime, { address: "0xNews", amount: 1 }),
  );
  node.nowMicros += 3_600_000_001n;
  await node.sweep();
}

test("a removed file tells its bill, its price list, and what was short when it was marked and removed", async (t) => {
  const definition = ledgerNetwork("local");
  await using node = await nodeAtStart(definition);
  await outcomes(node, balancePost(T, { [owner.address]: 30 }));
  const first = await storeOf(node, owner, T + 1, 30);
  const second = await storeOf(node, owner, T + 2, 30);
  assert.deepEqual(await outcomes(node, first, second), ["processed", "processed"]);
  const api = await apiOver(t, node, definition);
  const whileLive = await explain(api, second.hash);
  await outcomes(node, balancePost(T + 10, { [owner.address]: 15 }));
  await node.sweep();
  const markedAt = node.nowMicros;
  assert.deepEqual([node.status(first.hash), node.status(second.hash)], ["processed", "removing"]);
  await outcomes(node, balancePost(T + 30, { [owner.address]: 12 }));
  await endGrace(node);
  assert.equal(node.status(second.hash), "removed");
  const removedAt = node.nowMicros;
  // What happens to the owner, or to the prices, afterwards changes nothing in what is told.
  const dearer = { storage: { price: { storage: { holding: "9", payg: "0", credit: "1" } } } };
  await outcomes(
    node,
    forget(owner, T + 50, [first.hash]),
    balancePost(T + 300_000, { [owner.address]: 1_000 }),
    priceListOf(T + 60, { ...definition.pricing, ...dearer }),
  );
  await node.sweep();

  const explained = await explain(api, second.hash);
  assert.equal(explained.status, "removed");
  assert.equal(explained.rule.name, "balance_insufficient");
  const { inputs } = explained;
  assert.equal(inputs.owner, owner.address);
  assert.equal(inputs.payment_type, "hold");
  assert.equal(inputs.price_list, whileLive.inputs.price_list);
  assert.equal(inputs.size, 31_457_280);
  assert.equal(inputs.removing_since, formatIsoZ(markedAt));
  assert.equal(inputs.delete_by, formatIsoZ(markedAt + GRACE_MICROS));
  assert.equal(inputs.removed_at, formatIsoZ(removedAt));
  assert.deepEqual(inputs.marked, {
    at: formatIsoZ(markedAt),
    available: "15.000000000000000000",
    messages_before: 1,
    before: "9.999999990000000000",
    left: "5.000000010000000000",
    needed: "9.999999990000000000",
    short: "4.999999980000000000",
    unit: "tokens",
  });
  assert.deepEqual(inputs.ended, {
    at: formatIsoZ(removedAt),
    available: "12.000000000000000000",
    messages_before: 1,
    before: "9.999999990000000000",
    left: "2.000000010000000000",
    needed: "9.999999990000000000",
    short: "7.999999980000000000",
    unit: "tokens",
  });
  const published = inputs.confirmed_by as { item_hash: string; published_at: string };
  assert.match(published.item_hash, /^[0-9a-f]{64}$/);
  assert.equal(published.published_at, formatIsoZ(BigInt(T + 200_000) * 1_000_000n));
  assert.deepEqual(inputs.files, [
    {
      name: fileOf(30, `${owner.address} ${T + 2}`).hash,
      used_as: "file",
      file_hash: fileOf(30, `${owner.address} ${T + 2}`).hash,
      size: null,
      resolved: false,
      billed_mib: "30",
    },
  ]);
  assert.match(explained.arithmetic[0]?.formula ?? "", /^30 MiB × 0\.333333333, rounded down/);
  assert.deepEqual(amountsOf(explained), {
    STORAGE: "9.999999990000000000",
    TOTAL: "9.999999990000000000",
    AVAILABLE: "12.000000000000000000",
    BEFORE: "9.999999990000000000",
    LEFT: "2.000000010000000000",
    NEEDED: "9.999999990000000000",
    SHORT: "7.999999980000000000",
  });
  assert.ok(explained.changes.some((change) => change.includes("upload its file and submit it again")));
});

test("a removed machine tells each line of its bill, in credits for a day", async (t) => {
  const definition = ledgerNetwork("local");
  await using node = await nodeAtStart(definition);
  const image = await storeOf(node, evm("who made the image"), T - 5, 1);
  const expiration = (T + 1_000) * 1_000;
  await outcomes(node, image, distribution(T, { address: owner.address, amount: 1_000_000, expiration }));
  const machine = instanceOf(owner, T + 1, image.hash, { payment: "credit", rootfsMib: 40_960 });
  assert.deepEqual(await outcomes(node, machine), ["processed"]);
  const api = await apiOver(t, node, definition);
  assert.equal((await explain(api, machine.hash)).inputs.consumed_credits, 0);
  await outcomes(node, expense(T + 5, { address: owner.address, amount: 1_234, execution_id: machine.hash }));
  assert.equal((await explain(api, machine.hash)).inputs.consumed_credits, 1_234);
  node.nowMicros = BigInt(T + 1_001) * 1_000_000n;
  await node.sweep();
  await endGrace(node);
  assert.equal(node.status(machine.hash), "removed");
  const explained = await explain(api, machine.hash);
  assert.equal(explained.rule.name, "credit_insufficient");
  assert.equal(explained.inputs.consumed_credits, 1_234, "what was spent stays told");
  assert.deepEqual(
    explained.arithmetic.map(({ line }) => line),
    [
      "EXECUTION",
      "EXECUTION_INSTANCE_VOLUME_ROOTFS",
      "EXECUTION_VOLUME_DISCOUNT",
      "TOTAL",
      "AVAILABLE",
      "BEFORE",
      "LEFT",
      "NEEDED",
      "SHORT",
    ],
  );
  assert.equal(amountsOf(explained).TOTAL, "4.980483820408951920");
  assert.equal(amountsOf(explained).AVAILABLE, "0.000000000000000000");
  assert.equal(amountsOf(explained).SHORT, amountsOf(explained).NEEDED);
  assert.deepEqual(
    explained.inputs.files?.map(({ name, size, resolved }) => [name, size, resolved]),
    [[image.hash, 1_048_576, true]],
  );
});

test("what is about to be removed tells what was short when it was marked, and what is now", async (t) => {
  const definition = ledgerNetwork("local");
  await using node = await nodeAtStart(definition);
  await outcomes(node, balancePost(T, { [owner.address]: 30 }));
  const file = await storeOf(node, owner, T + 1, 60);
  await outcomes(node, file, balancePost(T + 10, { [owner.address]: 12 }));
  await node.sweep();
  const markedAt = node.nowMicros;
  node.nowMicros += 60_000_000n;
  await outcomes(node, balancePost(T + 30, { [owner.address]: 19 }));
  await node.sweep();
  const api = await apiOver(t, node, definition);
  const explained = await explain(api, file.hash);
  assert.equal(explained.status, "removing");
  assert.equal(explained.inputs.delete_by, formatIsoZ(markedAt + GRACE_MICROS));
  const marked = explained.inputs.marked as { at: string; available: string; short: string };
  assert.deepEqual(
    [marked.at, marked.available, marked.short],
    [formatIsoZ(markedAt), "12.000000000000000000", "7.999999980000000000"],
  );
  const { AVAILABLE, LEFT, NEEDED, SHORT } = amountsOf(explained);
  assert.deepEqual(
    [AVAILABLE, LEFT, NEEDED, SHORT],
    ["19.000000000000000000", "19.000000000000000000", "19.999999980000000000", "0.999999980000000000"],
  );
});

test("what ends for want of funds in the reference's way is told as it was decided", async (t) => {
  // A message that is too dear leaves nothing for those after it.
  const definition = ledgerNetwork("local", { sweepSkipsUnaffordable: false });
  await using node = await nodeAtStart(definition);
  await outcomes(node, balancePost(T, { [owner.address]: 60 }));
  const [large, small] = [await storeOf(node, owner, T + 1, 120), await storeOf(node, owner, T + 2, 30)];
  await outcomes(node, large, small, balancePost(T + 3, { [owner.address]: 15 }));
  await node.sweep();
  const api = await apiOver(t, node, definition);
  const explained = await explain(api, small.hash);
  const marked = explained.inputs.marked as { before: string; left: string };
  assert.deepEqual([marked.before, marked.left], ["39.999999960000000000", "0.000000000000000000"]);
  assert.equal(amountsOf(explained).LEFT, "0.000000000000000000");
  assert.equal(amountsOf(explained).BEFORE, "39.999999960000000000");
});

test("what was removed and has returned is explained by its new bill, and by its new end", async (t) => {
  const definition = ledgerNetwork("local");
  await using node = await nodeAtStart(definition);
  await outcomes(node, balancePost(T, { [owner.address]: 30 }));
  const file = await storeOf(node, owner, T + 1, 60);
  await outcomes(node, file, balancePost(T + 10, { [owner.address]: 0 }));
  await node.sweep();
  await endGrace(node);
  assert.equal(node.status(file.hash), "removed");
  const api = await apiOver(t, node, definition);
  assert.equal(amountsOf(await explain(api, file.hash)).AVAILABLE, "0.000000000000000000");
  await outcomes(node, balancePost(T + 300_000, { [owner.address]: 100 }));
  await storeOf(node, owner, T + 1, 60);
  assert.deepEqual(await outcomes(node, file), ["processed"]);
  const explained = await explain(api, file.hash);
  assert.equal(explained.rule.name, "funds-suffice");
  assert.equal(explained.inputs.marked, undefined);
  await outcomes(node, balancePost(T + 400_000, { [owner.address]: 3 }));
  await node.sweep();
  await endGrace(node, T + 600_000);
  const again = await explain(api, file.hash);
  assert.equal(again.status, "removed");
  assert.equal(amountsOf(again).AVAILABLE, "3.000000000000000000", "the second end, not the first");
});

test("a live function lists the files that it names, with their sizes", async (t) => {
  const definition = ledgerNetwork("local");
  await using node = await nodeAtStart(definition);
  await outcomes(node, balancePost(T, { [owner.address]: 10_000 }));
  const code = await storeOf(node, owner, T + 1, 3);
  const program = programOf(owner, T + 2, code.hash, { persistent: true });
  assert.deepEqual(await outcomes(node, code, program), ["processed", "processed"]);
  const api = await apiOver(t, node, definition);
  const [file] = (await explain(api, program.hash)).inputs.files ?? [];
  assert.deepEqual(
    [file?.name, file?.size, file?.resolved, file?.billed_mib],
    [code.hash, 3_145_728, true, "3"],
  );
  assert.match(file?.file_hash ?? "", /^[0-9a-f]{64}$/);
  const own = await explain(api, code.hash);
  assert.deepEqual(
    own.inputs.files?.map(({ file_hash: hash, size, resolved, billed_mib: mib }) => [
      hash,
      size,
      resolved,
      mib,
    ]),
    [[file?.file_hash, 3_145_728, true, "3"]],
  );
});

test("an accepted message tells by which rule, and what its owner had and owed then", async (t) => {
  const definition = ledgerNetwork("local", { overcommitSwept: true });
  await using node = await nodeAtStart(definition);
  await outcomes(node, balancePost(T, { [owner.address]: 15 }));
  const first = await storeOf(node, owner, T + 1, 30);
  const small = await storeOf(node, owner, T + 2, 20);
  assert.deepEqual(await outcomes(node, first, small), ["processed", "processed"]);
  const elsewhere = await storeOf(node, owner, T + 3, 30);
  await node.receive("p2p", elsewhere.text);
  await outcomes(node, balancePost(T + 10, { [owner.address]: 1_000 }));
  const api = await apiOver(t, node, definition);
  const [ofFirst, ofSmall, ofElsewhere] = [
    await explain(api, first.hash),
    await explain(api, small.hash),
    await explain(api, elsewhere.hash),
  ];
  assert.equal(ofFirst.rule.name, "funds-suffice");
  assert.deepEqual((ofFirst.inputs.accepted_by as { funds: unknown }).funds, {
    committed: "0.000000000000000000",
    added: "9.999999990000000000",
    required: "9.999999990000000000",
    available: "15.000000000000000000",
    unit: "tokens",
  });
  assert.equal(amountsOf(ofFirst).AVAILABLE, "1000.000000000000000000", "and what he has now");
  assert.equal(ofSmall.rule.name, "free-by-size");
  assert.equal((ofSmall.inputs.accepted_by as { funds: unknown }).funds, null);
  assert.equal(ofElsewhere.rule.name, "funds-exceeded-elsewhere");
  assert.deepEqual((ofElsewhere.inputs.accepted_by as { funds: unknown }).funds, {
    committed: "9.999999990000000000",
    added: "9.999999990000000000",
    required: "19.999999980000000000",
    available: "15.000000000000000000",
    unit: "tokens",
  });
});

test("what was decided by an older version is told as far as it is known", async (t) => {
  const definition = ledgerNetwork("local");
  await using node = await nodeAtStart(definition);
  await outcomes(node, balancePost(T, { [owner.address]: 30 }));
  const file = await storeOf(node, owner, T + 1, 60);
  await outcomes(node, file, balancePost(T + 10, { [owner.address]: 12 }));
  await node.sweep();
  const { connection } = node.store.session;
  connection.run("UPDATE costs SET acceptance = NULL");
  connection.run("UPDATE removals SET marked = NULL");
  const api = await apiOver(t, node, definition);
  const removing = await explain(api, file.hash);
  assert.deepEqual([removing.inputs.marked, removing.inputs.accepted_by], [null, null]);
  assert.equal(amountsOf(removing).SHORT, "7.999999980000000000");
  await endGrace(node);
  const removed = await explain(api, file.hash);
  assert.equal(removed.status, "removed");
  assert.equal(removed.inputs.marked, null);
  assert.equal(amountsOf(removed).SHORT, "7.999999980000000000");
  connection.run("DELETE FROM removed_bills");
  const bare = await explain(api, file.hash);
  assert.deepEqual(
    [bare.rule.name, bare.arithmetic, bare.inputs.size],
    ["balance_insufficient", [], 62_914_560],
  );
});
