import { deployOnAnvil } from "@twentysix/contracts/anvil";
import type { Timers } from "@twentysix/platform";
import { TestnetError } from "../errors.ts";

export interface ContractsOptions {
  readonly rpcUrl: string;
  /** Where the contract stood when the network ran before; null: it did not. */
  readonly known: string | null;
  readonly timers: Pick<Timers, "withTimeout">;
  readonly signal: AbortSignal;
}

const CALL_TIMEOUT_MS = 10_000;

/**
 * The address of the contract on which messages are anchored; deploys it where the chain does not have it.
 *
 * @throws TestnetError TESTNET_CHAIN_FAILED; AnvilError ANVIL_FAILED
 */
export async function messageSyncOn(options: ContractsOptions): Promise<string> {
  const { rpcUrl, known, timers, signal } = options;
  if (known !== null && (await hasCode(options, known))) return known;
  return await deployOnAnvil({ rpcUrl }, timers, signal);
}

function hasCode({ rpcUrl, timers, signal }: ContractsOptions, address: string): Promise<boolean> {
  return timers.withTimeout(
    CALL_TIMEOUT_MS,
    async (timeout) => {
      const answer = await fetch(rpcUrl, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_getCode", params: [address, "latest"] }),
        signal: timeout,
      });
      const { result } = (await answer.json()) as { readonly result?: unknown };
      if (typeof result === "string") return result !== "0x";
      throw new TestnetError("TESTNET_CHAIN_FAILED", `the local chain does not say what is at ${address}`);
    },
    signal,
  );
}
