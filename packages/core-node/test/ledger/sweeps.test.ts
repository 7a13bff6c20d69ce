import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { LocalAccount } from "@twentysix/protocol";
import { evm, forget, type Signed } from "../pipeline/support/signed.ts";
import type { StateHarness } from "../pipeline/support/state-harness.ts";
import {
  accountIn,
  balancePost,
  creditsIn,
  distribution,
  expense,
  ledgerNetwork,
  ledgerNode,
  outcomes,
} from "./support/ledger-node.ts";
import { fileOf, instanceOf, storeOf } from "./support/paid-messages.ts";

const local = ledgerNetwork("local");
const owner = evm("who runs dry");
const { address } = owner;
const T = 1_790_000_000;
const HOUR_MICROS = 3_600_000_000n;
/** From the mark to the removal. */
const GRACE_MICROS = BigInt(local.limits.removalGraceSeconds) * 1_000_000n;

async function nodeAt(definition = local, seconds = T): Promise<StateHarness> {
  const node = await ledgerNode(definition);
  node.nowMicros = BigInt(seconds) * 1_000_000n;
  return node;
}

async function submit(node: StateHarness, ...messages: readonly Signed[]): Promise<void> {
  assert.deepEqual(
    await outcomes(node, ...messages),
    messages.map(() => "processed"),
  );
  await node.sweep();
}

/** Three files of 30 MiB, 10 tokens each at the prices of the network. */
async function threeFiles(node: StateHarness, account: LocalAccount = owner): Promise<readonly Signed[]> {
  const files: Signed[] = [];
  for (let index = 0; index < 3; index += 1) files.push(await storeOf(node, account, T + index, 30));
  return files;
}

const statuses = (node: StateHarness, messages: readonly Signed[]): (string | null)[] =>
  messages.map(({ hash }) => node.status(hash));

/** Another publication, of what has nothing to do with the account. */
const news = (seconds: number): Signed => balancePost(seconds, { [evm("somebody").address]: 1 });

describe("a sweep of tokens", () => {
  test("marks the latest of what cannot be paid for, and takes the mark away when funds return", async () => {
    await using node = await nodeAt();
    await submit(node, balancePost(T, { [address]: 30 }));
    const files = await threeFiles(node);
    await submit(node, ...files);
    await submit(node, balancePost(T + 10, { [address]: 15 }));
    assert.deepEqual(statuses(node, files), ["processed", "removing", "removing"]);
    assert.equal(accountIn(node, address)?.removing, 2);
    await submit(node, balancePost(T + 20, { [address]: 20 }));
    assert.deepEqual(statuses(node, files), ["processed", "processed", "removing"]);
    await submit(node, balancePost(T + 30, { [address]: 30 }));
    assert.deepEqual(statuses(node, files), ["processed", "processed", "processed"]);
    assert.equal(accountIn(node, address)?.nextEventMicros, null);
  });

  test("looks again at what is confirmed later, where only what is confirmed at a height can be removed", async () => {
    await using node = await nodeAt(ledgerNetwork("mainnet"));
    await submit(node, balancePost(T, { [address]: 30 }));
    const files = await threeFiles(node);
    await submit(node, ...files, balancePost(T + 10, { [address]: 0 }));
    assert.deepEqual(statuses(node, files), ["processed", "processed", "processed"]);
    const [early, late] = files;
    assert.ok(early !== undefined && late !== undefined);
    const transaction = {
      chain: "ETH",
      publisher: "0xpublisher",
      timeMicros: BigInt(T + 11) * 1_000_000n,
    } as const;
    await node.confirm({ ...transaction, hash: early.hash, txHash: "0x1", height: 22_195_999 });
    await node.confirm({ ...transaction, hash: late.hash, txHash: "0x2", height: 22_196_000 });
    await node.sweep();
    assert.deepEqual(statuses(node, files), ["processed", "removing", "processed"]);
    assert.notEqual(accountIn(node, address)?.nextEventMicros, null);
  });

  test("removes what is marked after the grace, once an authority has published since", async () => {
    await using node = await nodeAt();
    await submit(node, balancePost(T, { [address]: 30 }));
    const files = await threeFiles(node);
    await submit(node, ...files, balancePost(T + 10, { [address]: 0 }));
    assert.equal(accountIn(node, address)?.nextEventMicros, node.nowMicros + GRACE_MICROS);
    node.nowMicros += GRACE_MICROS - HOUR_MICROS;
    await node.sweep();
    assert.deepEqual(statuses(node, files), ["removing", "removing", "removing"], "the grace is not over");
    node.nowMicros += 2n * HOUR_MICROS;
    await node.sweep();
    assert.deepEqual(statuses(node, files), ["removing", "removing", "removing"], "no news since");
    await submit(node, news(T - 1));
    node.nowMicros += 2n * HOUR_MICROS;
    await node.sweep();
    assert.deepEqual(statuses(node, files), ["removing", "removing", "removing"], "old news that came late");
    await submit(node, news(T + 100_000));
    const root = node.root();
    node.nowMicros += 2n * HOUR_MICROS;
    await node.sweep();
    assert.deepEqual(statuses(node, files), ["removed", "removed", "removed"]);
    assert.equal(node.root(), root, "the state does not depend on funds");
    const { heldAtto, removable, removing } = accountIn(node, address) ?? {};
    assert.deepEqual({ heldAtto, removable, removing }, { heldAtto: 0n, removable: 0, removing: 0 });
    assert.deepEqual(node.messages({ owners: [address], types: ["STORE"] }), []);
    const view = node.view(files[0]?.hash ?? "");
    assert.equal(view?.reason, "balance_insufficient");
    assert.equal(view?.size, 30 * 1024 * 1024);
  });

  test("leaves small files alone, and an account that never had anything", async () => {
    await using node = await nodeAt();
    const small = await storeOf(node, owner, T, 25);
    await submit(node, small);
    assert.equal(accountIn(node, address)?.nextEventMicros, null);
    await submit(node, balancePost(T + 1, { [address]: 100 }), await storeOf(node, owner, T + 2, 26));
    await submit(node, balancePost(T + 3, { [address]: 0 }));
    assert.equal(node.status(small.hash), "processed");
  });

  test("passes over what is too dear, or ends with it, as the network says", async () => {
    for (const skips of [true, false]) {
      await using node = await nodeAt(ledgerNetwork("local", { sweepSkipsUnaffordable: skips }));
      await submit(node, balancePost(T, { [address]: 60 }));
      const [large, small] = [await storeOf(node, owner, T + 1, 120), await storeOf(node, owner, T + 2, 30)];
      await submit(node, large, small);
      await submit(node, balancePost(T + 3, { [address]: 15 }));
      assert.deepEqual(statuses(node, [large, small]), ["removing", skips ? "processed" : "removing"]);
    }
  });

  test("is not set off by a message that is forgotten, which frees what it took", async () => {
    await using node = await nodeAt();
    await submit(node, balancePost(T, { [address]: 30 }));
    const files = await threeFiles(node);
    await submit(node, ...files, balancePost(T + 10, { [address]: 20 }));
    assert.deepEqual(statuses(node, files), ["processed", "processed", "removing"]);
    await submit(node, forget(owner, T + 20, [files[0]?.hash ?? ""]));
    assert.deepEqual(statuses(node, files), ["forgotten", "processed", "processed"]);
    assert.equal(accountIn(node, address)?.heldAtto, 19_999_999_980_000_000_000n);
  });
});

describe("a sweep of credits", () => {
  const image = evm("who made the image");
  async function withMachine(
    seconds: number,
    amount: number,
    expiration: number | null,
  ): Promise<{ node: StateHarness; machine: Signed }> {
    const node = await nodeAt(local, seconds);
    const rootfs = await storeOf(node, image, T - 5, 1);
    await submit(node, rootfs, distribution(T - 4, { address, amount, expiration }));
    const machine = instanceOf(owner, T, rootfs.hash, { payment: "credit" });
    await submit(node, machine);
    return { node, machine };
  }

  test("comes when credits expire, without anything being published", async () => {
    const { node, machine } = await withMachine(T, 500_000, (T + 1000) * 1_000);
    await using _ = node;
    assert.equal(accountIn(node, address)?.nextEventMicros, BigInt(T + 1000) * 1_000_000n);
    node.nowMicros = BigInt(T + 1000) * 1_000_000n;
    await node.sweep();
    assert.equal(creditsIn(node, address), 0n);
    assert.equal(node.status(machine.hash), "removing");
    assert.equal(node.view(machine.hash)?.reason, "credit_insufficient");
    await submit(node, distribution(T + 1100, { address, amount: 341_999 }));
    assert.equal(node.status(machine.hash), "removing", "a credit too few for a day");
    await submit(node, distribution(T + 1200, { address, amount: 1 }));
    assert.equal(node.status(machine.hash), "processed");
  });

  test("comes when expenses leave less than a day of credits", async () => {
    const { node, machine } = await withMachine(T, 400_000, null);
    await using _ = node;
    await submit(node, expense(T + 10, { address, amount: 58_000, execution_id: machine.hash }));
    assert.equal(node.status(machine.hash), "processed");
    await submit(node, expense(T + 20, { address, amount: 1, execution_id: machine.hash }));
    assert.equal(node.status(machine.hash), "removing");
    node.nowMicros += GRACE_MICROS + 1n;
    await submit(node, news(T + 30));
    assert.equal(node.status(machine.hash), "removing", "news of balances say nothing of credits");
    await submit(node, expense(T + 40, { address: image.address, amount: 1 }));
    node.nowMicros += HOUR_MICROS;
    await node.sweep();
    assert.equal(node.status(machine.hash), "removed");
  });
});

describe("an account that both sides of a partition let commit itself", () => {
  test("has the latest in canonical order removed after the grace, whichever side a node was on", async () => {
    const made = await nodeAt();
    const [first, second] = [await storeOf(made, owner, T + 1, 30), await storeOf(made, owner, T + 2, 30)];
    await made[Symbol.asyncDispose]();
    const ends: unknown[] = [];
    const roots: string[] = [];
    for (const [own, others] of [
      [first, second],
      [second, first],
    ] as const) {
      await using node = await nodeAt();
      await storeOf(node, owner, T + 1, 30);
      await storeOf(node, owner, T + 2, 30);
      await submit(node, balancePost(T, { [address]: 10 }), own);
      await node.receive("p2p", others.text);
      assert.equal(node.status(others.hash), "processed", "what the other side accepted is accepted");
      await node.sweep();
      assert.deepEqual(statuses(node, [first, second]), ["processed", "removing"]);
      await submit(node, news(T + 10));
      node.nowMicros += GRACE_MICROS + HOUR_MICROS;
      await submit(node, news(T + 20));
      await node.sweep();
      ends.push(statuses(node, [first, second]));
      roots.push(node.root());
    }
    assert.deepEqual(ends, [
      ["processed", "removed"],
      ["processed", "removed"],
    ]);
    assert.equal(roots[0], roots[1]);
  });

  test("cannot go further beyond its funds than partitions explain, nor at this door at all", async () => {
    await using node = await nodeAt();
    await submit(node, balancePost(T, { [address]: 10 }), await storeOf(node, owner, T + 1, 30));
    const direct = await storeOf(node, owner, T + 2, 30);
    assert.deepEqual(await outcomes(node, direct), ["rejected"]);
    for (let index = 0; index < 6; index += 1) {
      const further = await storeOf(node, owner, T + 10 + index, 30);
      await node.receive("p2p", further.text);
      assert.equal(node.status(further.hash), index < 3 ? "processed" : "rejected", `copy ${index}`);
    }
  });

  test("is paid for what other nodes accepted as soon as its funds are known here", async () => {
    await using node = await nodeAt();
    const file = await storeOf(node, owner, T + 1, 30);
    await node.receive("p2p", file.text);
    assert.equal(node.status(file.hash), "rejected");
    await submit(node, balancePost(T, { [address]: 10 }));
    await node.settle();
    assert.equal(node.status(file.hash), "processed");
  });
});

describe("a removed message", () => {
  async function removed(definition = local): Promise<{ node: StateHarness; file: Signed }> {
    const node = await nodeAt(definition);
    const file = await storeOf(node, owner, T + 1, 30);
    await submit(node, balancePost(T, { [address]: 10 }), file, balancePost(T + 5, { [address]: 0 }));
    node.nowMicros += GRACE_MICROS + 1n;
    await submit(node, news(T + 10));
    node.nowMicros += HOUR_MICROS;
    await node.sweep();
    assert.equal(node.status(file.hash), "removed");
    return { node, file };
  }

  test("may return where the network says so, once it is paid for and its file is here", async () => {
    const { node, file } = await removed();
    await using _ = node;
    assert.deepEqual(await outcomes(node, file), ["pending"], "its file is gone");
    await storeOf(node, owner, T + 1, 30);
    await node.settle();
    assert.equal(node.status(file.hash), "rejected", "there are no funds");
    await submit(node, balancePost(T + 20, { [address]: 10 }), file);
    assert.equal(node.dump().pins?.length, 1);
    assert.equal(accountIn(node, address)?.removable, 1);
  });

  test("stays removed elsewhere", async () => {
    const { node, file } = await removed(ledgerNetwork("local", { removedMayReturn: false }));
    await using _ = node;
    assert.deepEqual(await outcomes(node, balancePost(T + 20, { [address]: 10 }), file), [
      "processed",
      "removed",
    ]);
  });
});

describe("a name whose newest version cannot be paid for", () => {
  const later = evm("somebody who uploads later");

  test("leads to the version before while that is so, and to nobody else's file after", async () => {
    await using node = await nodeAt();
    const first = await storeOf(node, owner, T + 1, 30);
    const second = await storeOf(node, owner, T + 2, 30, { ref: first.hash });
    const shown = (): string | undefined => node.reads.fileByRef(first.hash, null)?.fileHash;
    const [older, newer] = [T + 1, T + 2].map((time) => fileOf(30, `${address} ${time}`).hash);
    await submit(node, balancePost(T, { [address]: 20 }), first, second);
    assert.equal(shown(), newer);
    await submit(node, balancePost(T + 5, { [address]: 10 }));
    assert.equal(node.status(second.hash), "removing");
    assert.equal(shown(), older);
    await submit(node, balancePost(T + 6, { [address]: 20 }));
    assert.equal(node.status(second.hash), "processed");
    assert.equal(shown(), newer, "it is paid for again");

    await submit(node, balancePost(T + 7, { [address]: 10 }));
    node.nowMicros += GRACE_MICROS + 1n;
    await submit(node, news(T + 10));
    node.nowMicros += HOUR_MICROS;
    await node.sweep();
    assert.equal(node.status(second.hash), "removed");
    assert.equal(shown(), older);
    // Its row may be used again by the next file.
    await submit(node, balancePost(T + 11, { [later.address]: 10 }), await storeOf(node, later, T + 12, 30));
    assert.equal(shown(), older);

    await storeOf(node, owner, T + 2, 30);
    await submit(node, balancePost(T + 20, { [address]: 20 }), second);
    assert.equal(node.status(second.hash), "processed");
    assert.equal(shown(), newer, "it has returned");
  });
});
