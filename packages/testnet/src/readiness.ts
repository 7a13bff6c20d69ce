import type { Clock, Timers } from "@twentysix/platform";
import type { TestnetAccount } from "./accounts.ts";
import { TestnetError } from "./errors.ts";
import { NodeApi } from "./node-api.ts";
import type { CoreNodeProcess } from "./processes/core-node-process.ts";

export interface ReadinessOptions {
  readonly nodes: readonly CoreNodeProcess[];
  readonly accounts: readonly TestnetAccount[];
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly timers: Pick<Timers, "sleep" | "withTimeout">;
  readonly signal: AbortSignal;
}

const TIMEOUT_MS = 120_000;
const PERIOD_MS = 100;

/**
 * Waits until each node is connected with another and knows the funds of the accounts.
 *
 * @throws TestnetError TESTNET_NOT_READY, TESTNET_PART_ENDED
 */
export async function whenReady(options: ReadinessOptions): Promise<void> {
  const { nodes, clock, timers, signal } = options;
  const deadlineMs = clock.monotonicMs() + TIMEOUT_MS;
  for (const node of nodes) {
    const { name } = node.process;
    for (;;) {
      const lacking = await lack(node, options);
      if (lacking === null) break;
      if (node.process.ending !== null) {
        throw new TestnetError("TESTNET_PART_ENDED", `${name} ended (${node.process.ending})`);
      }
      if (clock.monotonicMs() > deadlineMs) {
        throw new TestnetError("TESTNET_NOT_READY", `${name} ${lacking} after ${TIMEOUT_MS / 1_000} s`);
      }
      await timers.sleep(PERIOD_MS, signal);
    }
  }
}

/** What a node still waits for; null: nothing. */
async function lack(
  { apiUrl }: CoreNodeProcess,
  { nodes, accounts, timers, signal }: ReadinessOptions,
): Promise<string | null> {
  const api = new NodeApi(apiUrl, timers);
  const figures = await api.figures(signal);
  if (figures === null) return "does not answer";
  if (nodes.length > 1 && figures.connectedPeers === 0) return "is connected with no other node";
  for (const { address } of accounts) {
    if (!(await api.hasFunds(address, signal))) return `does not know the funds of ${address}`;
  }
  return null;
}
