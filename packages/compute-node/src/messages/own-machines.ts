import { isAbortOf, type Logger, type Timers } from "@twentysix/platform";
import { DOMAINS_KEY } from "../domains/instance-domains.ts";
import type { ExecutionStore } from "../executions/execution-store.ts";
import type { Executions } from "../executions/executions.ts";
import type { CoreNodes } from "./core-nodes.ts";
import type { FedMessage, FeedListener } from "./message-feed.ts";

export interface OwnMachinesParts {
  readonly executions: Executions;
  readonly store: Pick<ExecutionStore, "reason">;
  readonly coreNodes: Pick<CoreNodes, "statuses" | "forget" | "neededAnswers">;
  readonly timers: Timers;
  readonly log: Logger;
  /** The owner has published which ports shall be reached. */
  readonly onPortsChanged: (vmHash: string) => void;
  /** An owner of machines here has published what its names stand for. */
  readonly onDomainsChanged: () => void;
  readonly signal: AbortSignal;
}

/** Other core nodes learn of a FORGET a little later: they are asked again after these delays. */
const AGAIN_AFTER_MS = [0, 1_000, 3_000, 10_000, 30_000];
const PORTS_KEY = "port-forwarding";

/**
 * What messages of the network do to the machines of this node: one that its owner forgets is removed at once, ports are
 * changed while it runs.
 */
export function watchOwnMachines(parts: OwnMachinesParts): FeedListener {
  return (fed) => {
    const { type } = fed.message;
    if (type === "FORGET") onForget(fed, parts);
    if (type === "AGGREGATE") onAggregate(fed, parts);
    if (type === "STORE") onStore(fed, parts);
  };
}

function onForget(fed: FedMessage, parts: OwnMachinesParts): void {
  const hashes = fed.message.content?.hashes;
  if (!Array.isArray(hashes)) return;
  for (const hash of hashes) {
    if (typeof hash !== "string") continue;
    // At once: a visit before the machine is removed would start it again from what was known.
    parts.coreNodes.forget({ vmHash: hash });
    if (parts.executions.get(hash) === null || !fed.isAuthentic()) continue;
    removeForgotten(hash, parts).catch((error: unknown) => {
      if (!isAbortOf(parts.signal, error)) {
        parts.log.error("a machine that was forgotten could not be removed", { vmHash: hash, error });
      }
    });
  }
}

/** That somebody signed a FORGET does not say that he may: core nodes do, several of them. */
async function removeForgotten(vmHash: string, parts: OwnMachinesParts): Promise<void> {
  const { coreNodes, executions, store, timers, signal } = parts;
  for (const delayMs of AGAIN_AFTER_MS) {
    await timers.sleep(delayMs, signal);
    coreNodes.forget({ vmHash });
    const statuses = await coreNodes.statuses(vmHash, signal);
    if (statuses.length < coreNodes.neededAnswers) continue;
    if (statuses.some((status) => status !== "forgotten")) continue;
    if (executions.get(vmHash) === null) return;
    const reason = store.reason("MESSAGE_FORGOTTEN", "its owner has forgotten the message of the machine");
    await executions.erase(vmHash, reason, signal);
    return;
  }
  // Core nodes do not agree: the check of payments asks them again.
}

function onAggregate({ message, isAuthentic }: FedMessage, parts: OwnMachinesParts): void {
  const { key, address } = message.content ?? {};
  if (typeof key !== "string" || typeof address !== "string") return;
  const machines = parts.executions.list().filter(({ owner }) => owner === address);
  if (machines.length === 0 || !isAuthentic()) return;
  parts.coreNodes.forget({ aggregate: { address, key } });
  if (key === DOMAINS_KEY) parts.onDomainsChanged();
  if (key !== PORTS_KEY) return;
  for (const { vmHash, kind } of machines) if (kind === "instance") parts.onPortsChanged(vmHash);
}

function onStore({ message }: FedMessage, { coreNodes }: OwnMachinesParts): void {
  const ref = message.content?.ref;
  if (typeof ref === "string") coreNodes.forget({ storeHash: ref });
}
