import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { createSystemTimers } from "@twentysix/platform";
import {
  bytesToHex,
  concat,
  createTestClient,
  type Hex,
  hashMessage,
  http,
  pad,
  publicActions,
  walletActions,
} from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { type Anvil, startAnvil } from "../src/anvil.ts";
import { encodeSignatureCheck, readSignatureCheck } from "../src/index.ts";
import {
  encodeGreedyWallet,
  encodeSetOwner,
  encodeWallet,
  encodeWalletAddress,
  encodeWalletCreation,
  encodeWalletFactory,
  wrapSignature,
} from "../src/test-wallets.ts";
import { ARTEFACTS, compileContract } from "./support/compile-contracts.ts";

test("what is checked in is what the compiler gives: `npm run contracts` writes it", () => {
  for (const [file, contracts] of Object.entries(ARTEFACTS)) {
    const text = readFileSync(new URL(`../src/${file}`, import.meta.url), "utf8");
    for (const [source, name] of contracts)
      assert.ok(text.includes(compileContract(source, name).bytecode), name);
  }
  const sources = new Set(Object.values(ARTEFACTS).flatMap((some) => some.map(([source]) => source)));
  assert.deepEqual([...sources].sort(), readdirSync(new URL("../solidity", import.meta.url)).sort());
});

describe("asked of a chain", { timeout: 120_000 }, () => {
  const PAYER = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
  const GAS = 10_000_000n;
  const owner = privateKeyToAccount(`0x${"11".repeat(32)}`);
  const other = privateKeyToAccount(`0x${"22".repeat(32)}`);
  const digest = hashMessage("what was signed");
  let anvil: Anvil;
  before(async () => {
    anvil = await startAnvil({ timers: createSystemTimers() });
  });
  after(() => anvil.close());

  const client = () =>
    createTestClient({ mode: "anvil", transport: http(anvil.rpcUrl) })
      .extend(publicActions)
      .extend(walletActions);
  async function send(data: Hex, to?: Hex): Promise<Hex> {
    const target = to === undefined ? {} : { to };
    const hash = await client().sendTransaction({ account: PAYER, chain: null, data, ...target });
    const receipt = await client().waitForTransactionReceipt({ hash, pollingInterval: 20 });
    return receipt.contractAddress ?? "0x";
  }
  async function ask(account: string, signature: Hex): Promise<boolean | null> {
    const data = encodeSignatureCheck({ account, digest, signature });
    const answer = await client().call({ data, gas: GAS });
    return readSignatureCheck(answer.data);
  }
  const signed = (by: typeof owner): Promise<Hex> => by.sign({ hash: digest });

  test("a wallet accepts its owner's signature and no other, until its owner is another", async () => {
    const wallet = await send(encodeWallet(owner.address));
    assert.equal(await ask(wallet, await signed(owner)), true);
    assert.equal(await ask(wallet, await signed(other)), false);
    assert.equal(await ask(wallet, "0x"), false);
    await send(encodeSetOwner(other.address), wallet);
    assert.equal(await ask(wallet, await signed(owner)), false);
    assert.equal(await ask(wallet, await signed(other)), true);
  });

  test("an account without code accepts nothing", async () => {
    assert.equal(await ask(owner.address, await signed(owner)), false);
  });

  test("a wallet that is not made yet accepts through its factory, and does so when it is made", async () => {
    const factory = await send(encodeWalletFactory());
    const called = await client().call({ to: factory, data: encodeWalletAddress(owner.address) });
    const wallet: Hex = `0x${called.data?.slice(-40)}`;
    const creation = encodeWalletCreation(owner.address);
    const wrapped = async (by: typeof owner): Promise<Hex> =>
      wrapSignature(factory, creation, await signed(by));
    for (const isMade of [false, true]) {
      assert.equal(await ask(wallet, await wrapped(owner)), true);
      assert.equal(await ask(wallet, await wrapped(other)), false);
      assert.equal(await ask(wallet, await signed(owner)), isMade, "bare, it needs the wallet");
      if (!isMade) await send(creation, factory);
    }
    const elsewhere = wrapSignature(PAYER, creation, await signed(owner));
    assert.equal(await ask(`0x${"c0".repeat(20)}`, elsewhere), false);
  });

  test("whatever is wrapped, and whoever is asked, there is an answer", async () => {
    const greedy = await send(encodeGreedyWallet());
    assert.equal(await ask(greedy, await signed(owner)), false);
    assert.equal(await ask(greedy, wrapSignature(greedy, encodeWalletCreation(PAYER), "0x26")), false);
    const wallet = await send(encodeWallet(owner.address));
    const magic: Hex = `0x${"6492".repeat(16)}`;
    const huge: Hex = `0x${"ff".repeat(32)}`;
    const words = [pad("0x26", { size: 32 }), huge, pad("0x60", { size: 32 }), huge, huge];
    const hostile: Hex[] = [magic, concat([...words, magic]), concat([...words.toReversed(), magic])];
    for (let length = 1; length < 200; length += 13) {
      hostile.push(concat([bytesToHex(new Uint8Array(length).fill(length)), magic]));
    }
    for (const signature of hostile) assert.equal(await ask(wallet, signature), false, signature);
  });
});
