import type { TestContext } from "node:test";
import { encodeEmit, encodeMessage } from "@twentysix/contracts";
import { type Anvil, deployOnAnvil, startAnvil } from "@twentysix/contracts/anvil";
import { createSystemTimers } from "@twentysix/platform";
import { eventually } from "./eventually.ts";

/** Accounts of every fresh chain, with money; their keys are published. */
export const RICH = [
  {
    address: "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
    key: "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
  },
  {
    address: "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
    key: "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
  },
  {
    address: "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC",
    key: "5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
  },
] as const;
export type Rich = (typeof RICH)[number]["address"];

/** A chain of the test's own with the sync contract on it. */
export interface TestChain {
  readonly url: string;
  readonly anvil: Anvil;
  readonly contract: string;
  rpc(method: string, ...params: unknown[]): Promise<unknown>;
  /** Sends data to a contract, or to make one, and waits for the receipt. */
  send(from: Rich, data: string, to?: string): Promise<{ readonly contractAddress: string } | null>;
  /** Sends and waits until it is mined. Returns the hash of the transaction. */
  emit(from: Rich, text: string): Promise<string>;
  message(from: Rich, type: string, content: string): Promise<string>;
  mine(blocks: number): Promise<void>;
  head(): Promise<number>;
}

export async function startChain(context: TestContext): Promise<TestChain> {
  const timers = createSystemTimers();
  const anvil = await startAnvil({ timers });
  context.after(() => anvil.close());
  const rpc = async (method: string, ...params: unknown[]): Promise<unknown> => {
    const response = await fetch(anvil.rpcUrl, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
    });
    const answer = (await response.json()) as { result?: unknown; error?: { message: string } };
    if (answer.error !== undefined) throw new Error(`${method}: ${answer.error.message}`);
    return answer.result;
  };
  const receiptOf = (hash: string) =>
    rpc("eth_getTransactionReceipt", hash) as Promise<{ readonly contractAddress: string } | null>;
  const mined = async (hash: string): Promise<string> => {
    await eventually(
      "the receipt",
      () => receiptOf(hash),
      (receipt) => receipt !== null,
    );
    return hash;
  };
  const send = async (from: string, data: string, to?: string): Promise<string> => {
    const gas = "0x1000000";
    const transaction = { from, data, gas, ...(to === undefined ? {} : { to }) };
    return await mined(String(await rpc("eth_sendTransaction", transaction)));
  };
  const contract = await deployOnAnvil(anvil, timers);
  return {
    url: anvil.rpcUrl,
    anvil,
    contract,
    rpc,
    send: async (from, data, to) => await receiptOf(await send(from, data, to)),
    emit: (from, text) => send(from, encodeEmit(text), contract),
    message: (from, type, content) => send(from, encodeMessage(type, content), contract),
    mine: async (blocks) => void (await rpc("anvil_mine", `0x${blocks.toString(16)}`)),
    head: async () => Number(await rpc("eth_blockNumber")),
  };
}
