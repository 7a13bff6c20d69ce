import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { evm, type Signed } from "../pipeline/support/signed.ts";
import type { StateHarness } from "../pipeline/support/state-harness.ts";
import {
  accountIn,
  balancePost,
  distribution,
  ledgerNetwork,
  ledgerNode,
  outcomes,
  priceListOf,
} from "./support/ledger-node.ts";
import { instanceOf, programOf, storeOf } from "./support/paid-messages.ts";

const mainnet = ledgerNetwork("mainnet");
const owner = evm("who pays");
const { cutovers } = mainnet;
const PAID = cutovers.paidFilesFromSeconds ?? 0;
const MACHINES = cutovers.creditOnlyMachinesFromSeconds ?? 0;
const CREDIT_ONLY = cutovers.creditOnlyFromSeconds ?? 0;
/** Files cost, machines may still be paid by holding tokens. */
const T = MACHINES - 1_000_000;

/** How a message ends: its status, or the code of its refusal. */
async function ends(node: StateHarness, message: Signed): Promise<unknown> {
  const [status] = await outcomes(node, message);
  return status === "rejected" ? node.view(message.hash)?.error_code : status;
}

const errorOf = (node: StateHarness, { hash }: Signed): unknown =>
  (node.view(hash) as { details: { errors: unknown[] } }).details.errors[0];

describe("payment gates of files on mainnet", () => {
  test("a file of 25 MiB is free while tokens are held, a larger one is not", async () => {
    await using node = await ledgerNode(mainnet);
    const small = await storeOf(node, owner, T, 25);
    const large = await storeOf(node, evm("another"), T + 1, 26);
    assert.equal(await ends(node, small), "processed");
    assert.equal(await ends(node, large), 5);
    assert.deepEqual(errorOf(node, large), {
      required_balance: "8.666666658000000000",
      account_balance: "0",
      shortfall: "8.666666658000000000",
      allowed_payment_types: ["hold", "credit"],
    });
  });

  test("everything held counts: 15 tokens do not suffice for 25 and 50 MiB", async () => {
    await using node = await ledgerNode(mainnet);
    await outcomes(node, balancePost(T - 10, { [owner.address]: 15 }));
    assert.equal(await ends(node, await storeOf(node, owner, T, 25)), "processed");
    const large = await storeOf(node, owner, T + 1, 50);
    assert.equal(await ends(node, large), 5);
    assert.deepEqual(errorOf(node, large), {
      required_balance: "24.999999975000000000",
      account_balance: "15",
      shortfall: "9.999999975000000000",
      allowed_payment_types: ["hold", "credit"],
    });
  });

  test("before the cut-over files are free, whatever their size, and at its very second they are not", async () => {
    await using node = await ledgerNode(mainnet);
    assert.equal(await ends(node, await storeOf(node, owner, PAID - 1, 100)), "processed");
    assert.equal(await ends(node, await storeOf(node, evm("other"), PAID, 100)), 5);
  });

  test("from 2027 on only credits pay", async () => {
    await using node = await ledgerNode(mainnet);
    assert.equal(await ends(node, await storeOf(node, owner, CREDIT_ONLY - 1, 1)), "processed");
    assert.equal(await ends(node, await storeOf(node, owner, CREDIT_ONLY, 1)), 202);
    assert.equal(await ends(node, await storeOf(node, owner, CREDIT_ONLY + 1, 1, { payment: "credit" })), 6);
  });

  test("an account in debt may not store a small file either, but one on IPFS", async () => {
    await using node = await ledgerNode(mainnet);
    assert.equal(await ends(node, await storeOf(node, owner, T, 25)), "processed");
    assert.equal(await ends(node, await storeOf(node, owner, T + 1, 1)), 5);
    const ipfsHash = "QmVpuSzymTLtrZdtUtFwbdi9jNDYh2iAicPz84bFELA5du";
    assert.equal(await ends(node, await storeOf(node, owner, T + 2, 1, { ipfsHash })), "processed");
  });

  test("credits must last a day, and no file is billed for less than 25 MiB", async () => {
    await using node = await ledgerNode(mainnet);
    await outcomes(node, distribution(T - 10, { address: owner.address, amount: 107 }));
    const file = await storeOf(node, owner, T, 1, { payment: "credit" });
    assert.equal(await ends(node, file), 6);
    assert.deepEqual(errorOf(node, file), {
      required_credits: "107.804934183756585600",
      account_credits: "107",
      min_runtime_days: 1,
      shortfall: "0.804934183756585600",
      allowed_payment_types: ["hold", "credit"],
    });
  });
});

describe("payment gates of machines on mainnet", () => {
  async function withRootfs(): Promise<{ node: StateHarness; rootfs: string }> {
    const node = await ledgerNode(mainnet);
    const image = await storeOf(node, evm("image maker"), PAID - 1, 100);
    assert.equal(await ends(node, image), "processed");
    return { node, rootfs: image.hash };
  }

  test("a day of credits is exact: 342,000 pass and 341,999 do not", async () => {
    const { node, rootfs } = await withRootfs();
    await using _ = node;
    const time = MACHINES + 1_000;
    for (const [amount, ending] of [
      [341_999, 6],
      [342_000, "processed"],
    ] as const) {
      const payer = evm(`payer of ${amount}`);
      await outcomes(node, distribution(time - 10, { address: payer.address, amount }));
      const machine = instanceOf(payer, time, rootfs, { payment: "credit" });
      assert.equal(await ends(node, machine), ending);
      if (ending === 6) {
        assert.deepEqual(errorOf(node, machine), {
          required_credits: "341999.999999999999971200",
          account_credits: "341999",
          min_runtime_days: 1,
          shortfall: "0.999999999999971200",
          allowed_payment_types: ["credit"],
        });
      } else {
        assert.equal(accountIn(node, payer.address)?.creditAttoPerSecond, 3_958_333_333_333_333_333n);
      }
    }
  });

  test("an instance holds 1,000 tokens", async () => {
    const { node, rootfs } = await withRootfs();
    await using _ = node;
    await outcomes(node, balancePost(T - 10, { [owner.address]: 1000 }));
    assert.equal(await ends(node, instanceOf(owner, T, rootfs)), "processed");
    assert.equal(await ends(node, instanceOf(owner, T + 1, rootfs)), 5, "not twice");
  });

  test("from the cut-over of machines on tokens and streams pay for functions on demand only", async () => {
    const { node, rootfs } = await withRootfs();
    await using _ = node;
    await outcomes(node, balancePost(T - 10, { [owner.address]: 100_000 }));
    const code = (await storeOf(node, evm("coder"), PAID - 2, 1)) satisfies Signed;
    await outcomes(node, code);
    for (const [time, ending] of [
      [MACHINES - 1, "processed"],
      [MACHINES, 202],
    ] as const) {
      for (const payment of ["hold", "superfluid"] as const) {
        assert.equal(await ends(node, instanceOf(owner, time, rootfs, { payment })), ending, payment);
        const persistent = programOf(owner, time, code.hash, { payment, persistent: true });
        assert.equal(await ends(node, persistent), ending, payment);
        assert.equal(await ends(node, programOf(owner, time, code.hash, { payment })), "processed", payment);
      }
    }
  });

  test("a stream is not checked here, and its costs are known", async () => {
    const { node, rootfs } = await withRootfs();
    await using _ = node;
    assert.equal(await ends(node, instanceOf(owner, T, rootfs, { payment: "superfluid" })), "processed");
    assert.equal(accountIn(node, owner.address)?.streamedAttoPerSecond, 15_277_777_777_777n);
  });

  test("a GPU that the price list does not know is a clean refusal", async () => {
    const { node, rootfs } = await withRootfs();
    await using _ = node;
    const prices = priceListOf(T - 5, { instance: { price: { storage: { holding: "0" } } } });
    await outcomes(node, prices);
    const machine = instanceOf(owner, T, rootfs);
    assert.equal(await ends(node, machine), 0);
    assert.match(String(errorOf(node, machine)), /no compute unit for instance/);
  });
});

describe("prices", () => {
  test("that the authority publishes hold from then on; a malformed list does not", async () => {
    const local = ledgerNetwork("local");
    await using node = await ledgerNode(local);
    const payer = evm("payer by list");
    await outcomes(node, balancePost(T - 10, { [payer.address]: 100 }));
    const storage = (holding: unknown) => ({ storage: { price: { storage: { holding } } } });
    const held = (): bigint => (accountIn(node, payer.address)?.heldAtto ?? 0n) / 10n ** 18n;
    assert.deepEqual(await outcomes(node, priceListOf(T, storage("1"))), ["processed"]);
    assert.equal(await ends(node, await storeOf(node, payer, T + 1, 30)), "processed");
    assert.equal(held(), 30n);
    assert.deepEqual(await outcomes(node, priceListOf(T + 2, storage("not a price"))), ["processed"]);
    assert.equal(await ends(node, await storeOf(node, payer, T + 3, 31)), "processed");
    assert.equal(held(), 61n, "the last list that could be read");
    assert.ok(node.log.records.some(({ message }) => message.includes("cannot be used")));
    assert.deepEqual(await outcomes(node, priceListOf(T + 4, storage("0.5"))), ["processed"]);
    assert.equal(await ends(node, await storeOf(node, payer, T + 5, 32)), "processed");
    assert.equal(held(), 77n, "what was accepted before keeps its price");
  });
});
