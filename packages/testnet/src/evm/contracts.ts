import { encodeDeployment } from "@twentysix/contracts";
import type { Timers } from "@twentysix/platform";
import { TestnetError } from "../errors.ts";

export interface ContractsOptions {
  readonly rpcUrl: string;
  /** Pays for the deployment; the chain knows its key. */
  readonly deployer: string;
  /** Where the contract stood when the network ran before; null: it did not. */
  readonly known: string | null;
  readonly timers: Pick<Timers, "sleep" | "withTimeout">;
  readonly signal: AbortSignal;
}

const CALL_TIMEOUT_MS = 10_000;
const DEPLOY_TIMEOUT_MS = 30_000;
const POLL_MS = 50;

/**
 * The address of the contract on which messages are anchored; deploys it where the chain does not have it.
 *
 * @throws TestnetError TESTNET_CHAIN_FAILED
 */
export async function messageSyncOn(options: ContractsOptions): Promise<string> {
  const { known, deployer, timers, signal } = options;
  if (known !== null && (await call(options, "eth_getCode", [known, "latest"])) !== "0x") return known;
  const transaction = await call(options, "eth_sendTransaction", [
    { from: deployer, data: encodeDeployment() },
  ]);
  return await timers.withTimeout(
    DEPLOY_TIMEOUT_MS,
    async (timeout) => {
      for (;;) {
        const receipt = await call(options, "eth_getTransactionReceipt", [transaction]);
        const address = (receipt as { readonly contractAddress?: string | null } | null)?.contractAddress;
        if (typeof address === "string") return address;
        await timers.sleep(POLL_MS, timeout);
      }
    },
    signal,
  );
}

function call(
  { rpcUrl, timers, signal }: ContractsOptions,
  method: string,
  params: unknown[],
): Promise<unknown> {
  return timers.withTimeout(
    CALL_TIMEOUT_MS,
    async (timeout) => {
      const answer = await fetch(rpcUrl, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
        signal: timeout,
      });
      const { result, error } = (await answer.json()) as { result?: unknown; error?: { message: string } };
      if (error === undefined) return result;
      throw new TestnetError("TESTNET_CHAIN_FAILED", `the local chain refuses ${method}: ${error.message}`);
    },
    signal,
  );
}
