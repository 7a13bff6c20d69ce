import type { NetworkControl } from "../control/control-services.ts";
import type { InstanceDomains } from "../domains/instance-domains.ts";
import type { RunningExecutions } from "../executions/create-executions.ts";
import type { ExecutionStore } from "../executions/execution-store.ts";
import type { ContactProof } from "../executions/leases.ts";
import type { CoreNodes } from "../messages/core-nodes.ts";
import { MessageFeed } from "../messages/message-feed.ts";
import { watchOwnMachines } from "../messages/own-machines.ts";
import type { SharedSettings } from "../messages/shared-settings.ts";
import { PaymentMonitor } from "../payments/payment-monitor.ts";
import { NO_STREAMS } from "../payments/streams.ts";
import type { ComputeNodeOptions } from "./compute-node-options.ts";
import { receiverOf } from "./open-control.ts";

export interface NetworkWatchParts {
  readonly executions: RunningExecutions;
  readonly coreNodes: CoreNodes;
  readonly shared: SharedSettings;
  readonly networks: NetworkControl;
  readonly domains: Pick<InstanceDomains, "forget">;
}

export interface FeedParts {
  readonly store: Pick<ExecutionStore, "fact" | "setFact">;
  readonly contact: ContactProof;
  readonly coreNodes: CoreNodes;
}

const POSITION_FACT = "feed-position-seconds";

/** The messages of the network, for this node and for its programs. */
export function createFeed(
  options: ComputeNodeOptions,
  { store, contact, coreNodes }: FeedParts,
): MessageFeed {
  const { crypto, clock, timers, random } = options;
  return new MessageFeed({
    connections: coreNodes.connections,
    crypto,
    timers,
    random,
    log: options.log.child({ part: "messages" }),
    nowSeconds: () => Number(clock.nowMicros() / 1_000n) / 1_000,
    onContact: () => contact.note("core-node"),
    position: {
      read: () => {
        const seconds = Number(store.fact(POSITION_FACT) ?? Number.NaN);
        return Number.isFinite(seconds) ? seconds : null;
      },
      write: (seconds) => store.setFact(POSITION_FACT, String(seconds)),
    },
  });
}

/** Lets messages act on the machines of this node. */
export function followOwnMachines(
  options: ComputeNodeOptions,
  { executions, coreNodes, networks, domains }: NetworkWatchParts,
  feed: MessageFeed,
  signal: AbortSignal,
): void {
  const { timers } = options;
  const log = options.log.child({ part: "messages" });
  const { store, manager } = executions;
  feed.subscribe(
    watchOwnMachines({
      ...{ executions: manager, store, coreNodes, timers, log, signal },
      onDomainsChanged: () => domains.forget(),
      onPortsChanged: (vmHash) => {
        networks.refreshPorts(vmHash, signal).catch((error: unknown) => {
          if (!signal.aborted) log.warn("the ports of a machine could not be changed", { vmHash, error });
        });
      },
    }),
  );
}

/** Asks core nodes for a sign of life again and again; the answer itself is noted where it arrives. Ends with the signal. */
export function keepContact(
  { settings, timers, log }: ComputeNodeOptions,
  coreNodes: CoreNodes,
  signal: AbortSignal,
): Promise<void> {
  const onError = (error: unknown): void =>
    log.warn("core nodes cannot be asked for a sign of life", { error });
  const { contactPeriodMs } = settings.lease;
  return timers.every(contactPeriodMs, async () => void (await coreNodes.ping(signal)), { signal, onError });
}

export function createPaymentMonitor(
  options: ComputeNodeOptions,
  { executions, coreNodes, shared }: Pick<NetworkWatchParts, "executions" | "coreNodes" | "shared">,
): PaymentMonitor {
  const { settings, timers, clock, log } = options;
  return new PaymentMonitor({
    executions: executions.manager,
    store: executions.store,
    coreNodes,
    streams: options.streams ?? NO_STREAMS,
    community: (asked) => shared.community(asked),
    receiverAddress: receiverOf(options),
    hasContact: (execution) => executions.contact.isFreshFor(execution),
    settings: settings.payment,
    timers,
    nowMs: () => Number(clock.nowMicros() / 1_000n),
    log: log.child({ part: "payments" }),
  });
}

/** What goes on while the node runs: the feed, payments. Ends with the signal. */
export async function watchNetwork(
  { settings }: ComputeNodeOptions,
  feed: MessageFeed,
  payments: PaymentMonitor,
  signal: AbortSignal,
): Promise<void> {
  if (!settings.functions.watchesMessages) return;
  await Promise.all([feed.run(signal), payments.run(signal)]);
}
