import assert from "node:assert/strict";
import { test } from "node:test";
import { folderOf, verifyFolder } from "../archive/support.ts";
import { evm, type Signed } from "../pipeline/support/signed.ts";
import { StateHarness } from "../pipeline/support/state-harness.ts";
import { balancePost, ledgerNetwork, ledgerNode, outcomes, removedBillIn } from "./support/ledger-node.ts";
import { storeOf } from "./support/paid-messages.ts";

const local = ledgerNetwork("local");
const owner = evm("who is swept and crashes");
const T = 1_790_000_000;
const GRACE_MICROS = BigInt(local.limits.removalGraceSeconds) * 1_000_000n;

/** An account about to lose one file for good, another that it cannot pay for any more, and one that recovers. */
async function dueForEverything(): Promise<{ node: StateHarness; files: readonly Signed[] }> {
  const node = await ledgerNode(local);
  node.nowMicros = BigInt(T) * 1_000_000n;
  const { address } = owner;
  const files: Signed[] = [];
  for (let index = 0; index < 3; index += 1) files.push(await storeOf(node, owner, T + index, 30));
  await outcomes(node, balancePost(T, { [address]: 30 }), ...files.slice(0, 2));
  await outcomes(node, balancePost(T + 1, { [address]: 5 }));
  await node.sweep();
  node.nowMicros += GRACE_MICROS + 3_600_000_000n;
  const [late] = files.slice(2);
  await node.receive("p2p", late?.text ?? "");
  await outcomes(node, balancePost(T + 2, { [address]: 15 }));
  return { node, files };
}

const EXPECTED = ["processed", "removed", "rejected"];
const statuses = (node: StateHarness, files: readonly Signed[]): (string | null)[] =>
  files.map(({ hash }) => node.status(hash));

class Crash extends Error {}

/** Makes the n-th statement that writes fail, as if the process had ended there. */
function crashAt(node: StateHarness, n: number): { readonly written: () => number } {
  const { connection } = node.store.session;
  const run = connection.run.bind(connection);
  let written = 0;
  connection.run = (sql, ...parameters) => {
    written += 1;
    if (written === n) throw new Crash(sql);
    return run(sql, ...parameters);
  };
  return { written: () => written };
}

const problemsOf = async (node: StateHarness): Promise<readonly string[]> =>
  (await verifyFolder(folderOf(node), local)).problems.filter((line) => !line.startsWith("files: "));

test("a crash at any write of a sweep leaves everything as it was, and the sweep comes again", async () => {
  const whole = await dueForEverything();
  const before = statuses(whole.node, whole.files);
  const count = crashAt(whole.node, -1);
  await whole.node.sweep();
  const writes = count.written();
  assert.deepEqual(statuses(whole.node, whole.files), EXPECTED);
  assert.ok(writes > 10, `${writes} writes`);
  const root = whole.node.root();
  await whole.node[Symbol.asyncDispose]();
  for (let n = 1; n <= writes; n += 1) {
    const { node, files } = await dueForEverything();
    await using _ = node;
    crashAt(node, n);
    await assert.rejects(node.sweep(), Crash);
    assert.deepEqual(statuses(node, files), before, `write ${n}`);
    const removed = files[1]?.hash ?? "";
    assert.equal(removedBillIn(node, removed), null, `write ${n}`);
    if (n % 4 === 1) assert.deepEqual(await problemsOf(node), [], `write ${n}`);
    // What comes after the crash opens the same folder.
    await using next = StateHarness.over(folderOf(node), local);
    next.nowMicros = node.nowMicros;
    await next.sweep();
    assert.deepEqual(statuses(next, files), EXPECTED, `after write ${n}`);
    const { ended, cost } = removedBillIn(next, removed) ?? {};
    assert.equal(ended?.availableAtto, 15n * 10n ** 18n, `after write ${n}`);
    assert.equal(cost?.lines.length, 1, `after write ${n}`);
    assert.equal(next.root(), root, `after write ${n}`);
    if (n % 4 === 1) assert.deepEqual(await problemsOf(next), [], `after write ${n}`);
  }
});
