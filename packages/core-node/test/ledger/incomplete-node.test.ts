import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { evm, store } from "../pipeline/support/signed.ts";
import { testFile } from "../pipeline/support/state-harness.ts";
import { creditsIn, distribution, ledgerNetwork, ledgerNode, transfer } from "./support/ledger-node.ts";

const [alice, bob] = [evm("alice of an incomplete node"), evm("bob of an incomplete node")];
const T = 1_790_000_000;
const [grantTime, transferTime] = [T + 1, T + 2];
const granted = distribution(grantTime, { address: alice.address, amount: 1_000 });
const sent = transfer(alice, transferTime, { address: bob.address, amount: 400 });

for (const name of ["local", "mainnet"] as const) {
  const network = ledgerNetwork(name);

  describe(`a node of ${name} that lacks what its peers have`, () => {
    test("keeps a transfer until it knows of the credits, however long that takes", async () => {
      await using node = await ledgerNode(network);
      node.knowsAll(false);
      const [answer] = await node.submit(sent.text);
      assert.equal(answer?.status, "pending");
      for (let round = 0; round < 3 * network.limits.messageRetries; round += 1) await node.nextRound();
      assert.equal(node.status(sent.hash), "pending");
      await node.submit(granted.text);
      await node.runDue();
      assert.equal(node.status(sent.hash), "processed");
      assert.equal(creditsIn(node, bob.address), 400n);
    });

    test("says no once it has everything, and the credits are in none of it", async () => {
      await using node = await ledgerNode(network);
      node.knowsAll(false);
      await node.submit(sent.text);
      node.knowsAll(true);
      await node.settle();
      assert.equal(node.status(sent.hash), "rejected");
    });

    test("refuses at once what is wrong by itself", async () => {
      await using node = await ledgerNode(network);
      node.knowsAll(false);
      const toHimself = transfer(alice, transferTime, { address: alice.address, amount: 1 });
      const [answer] = await node.submit(toHimself.text);
      assert.equal(answer?.status, "rejected");
    });

    test("waits with a file that has to be paid for", async () => {
      await using node = await ledgerNode(network);
      node.knowsAll(false);
      const file = { ...testFile(1), sizeBytes: 60 * 1024 * 1024 };
      await node.hold(file);
      const stored = store(alice, transferTime, file.hash);
      for (const origin of ["upload", "p2p"] as const) await node.receive(origin, stored.text);
      assert.equal(node.status(stored.hash), "pending");
      node.knowsAll(true);
      const other = store(alice, transferTime + 1, file.hash);
      await node.submit(other.text);
      assert.equal(node.status(other.hash), "rejected");
    });
  });
}
