import assert from "node:assert/strict";
import { test } from "node:test";
import {
  balancePost,
  distribution,
  ledgerNetwork,
  ledgerNode,
  outcomes,
} from "../ledger/support/ledger-node.ts";
import { instanceOf, storeOf } from "../ledger/support/paid-messages.ts";
import { evm } from "../pipeline/support/signed.ts";
import type { StateHarness } from "../pipeline/support/state-harness.ts";
import { apiOver } from "./support/harness-api.ts";

type Body = Record<string, unknown>;

const T = 1_790_000_000;
const owner = evm("who cannot pay any more");
const GRACE_MICROS = 90_000_000_001n;

async function runDry(node: StateHarness): Promise<void> {
  await node.sweep();
  node.nowMicros += GRACE_MICROS;
  await outcomes(
    node,
    balancePost(T + 2_000, { "0xNews": 1 }),
    distribution(T + 2_000, { address: "0xNews", amount: 1 }),
  );
  node.nowMicros += 3_600_000_001n;
  await node.sweep();
}

test("a removed file has the price of today, and a removed machine none", async (t) => {
  const definition = ledgerNetwork("local");
  await using node = await ledgerNode(definition);
  node.nowMicros = BigInt(T + 20) * 1_000_000n;
  const image = await storeOf(node, evm("who made the image"), T - 5, 1);
  await outcomes(node, image, balancePost(T, { [owner.address]: 5_000 }));
  const held = await storeOf(node, owner, T + 1, 60);
  const machine = instanceOf(owner, T + 2, image.hash);
  assert.deepEqual(await outcomes(node, held, machine), ["processed", "processed"]);
  await outcomes(node, balancePost(T + 10, { [owner.address]: 0 }));
  await runDry(node);
  assert.deepEqual([node.status(held.hash), node.status(machine.hash)], ["removed", "removed"]);

  const api = await apiOver(t, node, definition);
  const price = (await api.json(`/api/v0/price/${held.hash}?include_size=true`)) as Body;
  assert.deepEqual(
    [price.cost, price.payment_type, price.charged_address],
    ["19.999999980000000000", "hold", owner.address],
  );
  assert.deepEqual(
    (price.detail as Body[]).map(({ type, size_mib: size }) => [type, size]),
    [["STORAGE", 60]],
  );
  assert.equal((await api.get(`/api/v0/price/${machine.hash}`)).status, 410);
  const view = (await api.json(`/api/v0/messages/${held.hash}`)) as Body;
  assert.deepEqual([view.status, view.reason, view.size], ["removed", "balance_insufficient", 62_914_560]);
});

test("the reason of a removal is what its owner had too little of, whatever the message says", async (t) => {
  const definition = ledgerNetwork("local", { storesDefaultToCredits: true });
  await using node = await ledgerNode(definition);
  node.nowMicros = BigInt(T + 20) * 1_000_000n;
  const expiration = (T + 1_000) * 1_000;
  await outcomes(node, distribution(T, { address: owner.address, amount: 1_000_000, expiration }));
  const unsaid = await storeOf(node, owner, T + 1, 60);
  assert.deepEqual(await outcomes(node, unsaid), ["processed"]);
  node.nowMicros = BigInt(T + 1_001) * 1_000_000n;
  await node.sweep();
  const api = await apiOver(t, node, definition);
  const reason = async (): Promise<unknown[]> => {
    const view = (await api.json(`/api/v0/messages/${unsaid.hash}`)) as Body;
    return [view.status, view.reason];
  };
  assert.deepEqual(await reason(), ["removing", "credit_insufficient"]);
  await runDry(node);
  assert.deepEqual(await reason(), ["removed", "credit_insufficient"]);
});
