import type { Logger, Timers } from "@twentysix/platform";
import type { LocalAccount, NetworkDefinition } from "@twentysix/protocol";
import { createClient } from "@twentysix/sdk";
import { registerComputeNodes } from "./register-compute-nodes.ts";
import { registerNodes } from "./register-core-nodes.ts";

/** A core node and a compute node of one owner on one machine. */
export interface SelfRegistrationOptions {
  /** Of the core node. */
  readonly apiUrl: string;
  readonly peerAddress: string;
  /** Of the compute node. */
  readonly computeUrl: string;
  readonly owner: LocalAccount;
  readonly staker: LocalAccount;
  readonly definition: NetworkDefinition;
  readonly timers: Timers;
  readonly log: Logger;
  /** Told of the hash of the compute node's registration. */
  readonly onRegistered: (nodeHash: string) => void;
}

const RETRY_MS = 2_000;

/**
 * Brings both nodes into the registry of a network in which everybody has the keys for it, once its owner has the
 * tokens for that, which the authority of such a network publishes at its start. Never fails: it tries again.
 */
export function keepRegistered(options: SelfRegistrationOptions): AsyncDisposable {
  const { timers, log, onRegistered } = options;
  const closing = new AbortController();
  const done = new AbortController();
  const attempt = async (signal: AbortSignal): Promise<void> => {
    const nodeHash = await register(options, signal);
    if (nodeHash === null) return;
    log.info("this machine is in the registry of the network", { nodeHash });
    onRegistered(nodeHash);
    done.abort();
  };
  const working = timers.every(RETRY_MS, attempt, {
    signal: AbortSignal.any([closing.signal, done.signal]),
    immediately: true,
    onError: (error) => log.debug("not in the registry yet", { error }),
  });
  return {
    async [Symbol.asyncDispose]() {
      closing.abort();
      await working;
    },
  };
}

/** null: too early. */
async function register(
  { apiUrl, peerAddress, computeUrl, owner, staker, definition }: SelfRegistrationOptions,
  signal: AbortSignal,
): Promise<string | null> {
  const { nodeTokens, activationTokens } = definition.authorities.registry.rules;
  const client = createClient({ apiUrl });
  const owned = await client.getBalance({ address: owner.address, signal });
  const staked = await client.getBalance({ address: staker.address, signal });
  if (owned.tokens < nodeTokens || staked.tokens < activationTokens) return null;
  await registerNodes([{ name: "core", peerAddress, owner }], { apiUrl, definition, staker, signal });
  const nodes = [{ name: "compute", address: computeUrl, owner }];
  const [nodeHash = null] = await registerComputeNodes(nodes, { apiUrl, definition, signal });
  return nodeHash;
}
