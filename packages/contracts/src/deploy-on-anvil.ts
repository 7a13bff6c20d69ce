import type { Timers } from "@twentysix/platform";
import { createWalletClient, http, publicActions } from "viem";
import { type Anvil, AnvilError } from "./anvil.ts";
import { encodeDeployment } from "./message-sync.ts";

/** The first account of every fresh chain: its money is not worth anything. */
const RICH = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
const TIMEOUT_MS = 30_000;
const POLL_MS = 20;

/** Puts the sync contract onto a chain of this machine. Returns its address. @throws AnvilError ANVIL_FAILED */
export async function deployOnAnvil(
  { rpcUrl }: Pick<Anvil, "rpcUrl">,
  timers: Pick<Timers, "withTimeout">,
  signal?: AbortSignal,
): Promise<string> {
  const client = createWalletClient({ transport: http(rpcUrl) }).extend(publicActions);
  const deploy = async (): Promise<string | null | undefined> => {
    const hash = await client.sendTransaction({ account: RICH, chain: null, data: encodeDeployment() });
    const receipt = await client.waitForTransactionReceipt({ hash, pollingInterval: POLL_MS });
    return receipt.contractAddress;
  };
  const address = await timers.withTimeout(TIMEOUT_MS, deploy, signal);
  if (typeof address !== "string") throw new AnvilError("ANVIL_FAILED", "the contract was not deployed");
  return address;
}
