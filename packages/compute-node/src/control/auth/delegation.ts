import { authorizationsOfContent, SECURITY_AGGREGATE_KEY } from "@twentysix/protocol";
import type { Execution } from "../../executions/execution.ts";
import type { CoreNodeClient } from "../../messages/core-node-client.ts";
import { CoreNodesError } from "../../messages/errors.ts";
import { ControlError } from "../errors.ts";
import type { Caller } from "./owner-auth.ts";

const SOLANA_CHAINS: ReadonlySet<string> = new Set(["SOL", "ES"]);

/**
 * Whether the caller may act on machines of an owner: as the owner, or by an entry of the owner's `security` aggregate
 * for this kind of machine. All EVM wallets call themselves `ETH` here, so that its chains are not told apart.
 *
 * @throws ControlError 403; 503 when it cannot be found out
 */
export async function assertMayAct(
  caller: Caller,
  owner: string,
  kind: Execution["kind"],
  coreNodes: Pick<CoreNodeClient, "aggregate">,
  signal: AbortSignal,
): Promise<void> {
  if (caller.address.toLowerCase() === owner.toLowerCase()) return;
  const security = await readSecurity(owner, coreNodes, signal);
  const type = kind === "instance" ? "INSTANCE" : "PROGRAM";
  const isDelegate = authorizationsOfContent(security).some(
    ({ address, chain, types }) =>
      address.toLowerCase() === caller.address.toLowerCase() &&
      (chain === null || SOLANA_CHAINS.has(chain) === (caller.chain === "SOL")) &&
      (types.length === 0 || types.includes(type)),
  );
  if (!isDelegate) throw new ControlError(403, "Unauthorized sender", "Unauthorized sender");
}

async function readSecurity(
  owner: string,
  coreNodes: Pick<CoreNodeClient, "aggregate">,
  signal: AbortSignal,
): Promise<Parameters<typeof authorizationsOfContent>[0]> {
  try {
    return await coreNodes.aggregate(owner, SECURITY_AGGREGATE_KEY, signal);
  } catch (error) {
    if (!(error instanceof CoreNodesError)) throw error;
    const text = "Whom the owner has authorised cannot be found out now: no core node answers; try again";
    throw new ControlError(503, text, null, { cause: error });
  }
}
