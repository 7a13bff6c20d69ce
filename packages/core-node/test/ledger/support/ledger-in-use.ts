import assert from "node:assert/strict";
import { evm, type Signed } from "../../pipeline/support/signed.ts";
import type { StateHarness } from "../../pipeline/support/state-harness.ts";
import {
  authorities,
  balancePost,
  distribution,
  expense,
  ledgerNetwork,
  ledgerNode,
  outcomes,
  transfer,
} from "./ledger-node.ts";
import { instanceOf, storeOf } from "./paid-messages.ts";

export const local = ledgerNetwork("local");
export const [owner, friend] = [evm("who is verified"), evm("whom credits were sent")];
export const T = 1_790_000_000;
const GRACE_MICROS = BigInt(local.limits.removalGraceSeconds) * 1_000_000n;

/** A node with money in every state: paid, marked, removed, spent, sent. */
export async function ledgerInUse(): Promise<{ node: StateHarness; removed: Signed; removing: Signed }> {
  const node = await ledgerNode(local);
  node.nowMicros = BigInt(T) * 1_000_000n;
  const { address } = owner;
  const [image, removed] = [await storeOf(node, owner, T + 1, 30), await storeOf(node, owner, T + 2, 31)];
  await outcomes(node, balancePost(T, { [address]: 25 }), image, removed);
  await outcomes(node, balancePost(T + 3, { [address]: 12 }));
  await node.sweep();
  node.nowMicros += GRACE_MICROS + 1n;
  await outcomes(node, balancePost(T + 4, { [friend.address]: 1 }));
  node.nowMicros += 3_600_000_000n;
  await node.sweep();
  assert.equal(node.status(removed.hash), "removed");
  const machine = instanceOf(owner, T + 5, image.hash, { payment: "credit" });
  await outcomes(
    node,
    distribution(
      T + 5,
      { address, amount: 500_000 },
      { address, amount: 9, expiration: (T + 500_000) * 1_000 },
    ),
    machine,
    transfer(owner, T + 6, { address: friend.address, amount: 100_005 }),
    expense(T + 7, { address, amount: 14_250, execution_id: machine.hash }),
    transfer(authorities.credits, T + 8, { address, amount: 3 }),
  );
  const removing = await storeOf(node, friend, T + 9, 26);
  await outcomes(node, balancePost(T + 9, { [friend.address]: 10 }), removing);
  await outcomes(node, balancePost(T + 10, { [friend.address]: 2 }));
  await node.sweep();
  assert.equal(node.status(removing.hash), "removing");
  return { node, removed, removing };
}
