import {
  balancePost,
  creditsIn,
  distribution,
  expense,
  ledgerNetwork,
  outcomes,
  transfer,
} from "../../ledger/support/ledger-node.ts";
import { storeOf } from "../../ledger/support/paid-messages.ts";
import { evm, withEnvelope } from "../support/signed.ts";
import type { StateHarness } from "../support/state-harness.ts";
import type { ActingSwitch } from "./switch-case.ts";

const { cutovers } = ledgerNetwork("mainnet");
/** Files cost from before, and tokens pay for them still. */
const TIME = (cutovers.creditOnlyMachinesFromSeconds ?? 0) + 1_000;
const payer = evm("payer of switches");
const { address } = payer;

const ends = async (node: StateHarness, ...messages: Parameters<typeof outcomes>[1][]): Promise<unknown> =>
  (await outcomes(node, ...messages)).at(-1);

/** Received after the date from which only credits count, with an envelope of before it. */
export const observedTimeGates: ActingSwitch = {
  priced: true,
  async observe(node) {
    node.nowMicros = BigInt(cutovers.creditOnlyFromSeconds ?? 0) * 1_000_000n;
    return await ends(node, withEnvelope(await storeOf(node, payer, TIME, 1), { time: TIME }));
  },
  on: "rejected",
  off: "processed",
};

/** A second small file, where the first one counts against funds that are not there. */
export const freeItemsUncounted: ActingSwitch = {
  priced: true,
  observe: async (node) =>
    await ends(node, await storeOf(node, payer, TIME, 20), await storeOf(node, payer, TIME + 1, 20)),
  on: "processed",
  off: "rejected",
};

/** What another node accepted beyond the funds of the account. */
export const overcommitSwept: ActingSwitch = {
  priced: true,
  async observe(node) {
    await outcomes(node, balancePost(TIME, { [address]: 10 }), await storeOf(node, payer, TIME, 30));
    const other = await storeOf(node, payer, TIME + 1, 30);
    await node.receive("p2p", other.text);
    return node.status(other.hash);
  },
  on: "processed",
  off: "rejected",
};

/** A dear file and a cheap one behind it, confirmed on the chain, and funds for the cheap one only. */
export const sweepSkipsUnaffordable: ActingSwitch = {
  priced: true,
  async observe(node) {
    const [dear, cheap] = [await storeOf(node, payer, TIME, 120), await storeOf(node, payer, TIME + 1, 30)];
    for (const { hash } of [dear, cheap]) {
      const height = cutovers.paidFilesFromHeight?.height ?? 0;
      const confirmation = { chain: "ETH", txHash: `0x${hash}`, height, publisher: "0x2" };
      await node.confirm({ ...confirmation, hash, timeMicros: BigInt(TIME) * 1_000_000n });
    }
    await outcomes(node, balancePost(TIME, { [address]: 60 }), dear, cheap);
    await outcomes(node, balancePost(TIME + 1, { [address]: 15 }));
    await node.sweep();
    return [dear, cheap].map(({ hash }) => node.status(hash));
  },
  on: ["removing", "processed"],
  off: ["removing", "removing"],
};

/** A transfer that is dated before its sender was granted anything. */
export const transfersFullyCovered: ActingSwitch = {
  priced: true,
  async observe(node) {
    const recipient = evm("recipient of switches").address;
    const early = transfer(payer, TIME, { address: recipient, amount: 7 });
    const status = await ends(node, distribution(TIME + 1, { address, amount: 10 }), early);
    return { status, received: creditsIn(node, recipient) };
  },
  on: { status: "rejected", received: 0n },
  off: { status: "processed", received: 7n },
};

/** A file without payment of an account that has credits and no tokens. */
export const storesDefaultToCredits: ActingSwitch = {
  priced: true,
  async observe(node) {
    await outcomes(
      node,
      distribution(TIME, { address, amount: 1_000 }),
      expense(TIME, { address, amount: 1 }),
    );
    return await ends(node, await storeOf(node, payer, TIME + 1, 30));
  },
  on: "processed",
  off: "rejected",
};
