import { createEventLoopMonitor } from "@twentysix/platform";
import { addProcessMetrics } from "@twentysix/platform/metrics";
import { Registry } from "prom-client";
import type { RunningExecutions } from "../executions/create-executions.ts";
import type { Functions } from "../functions/create-functions.ts";
import type { FunctionObserver } from "../functions/function-observer.ts";
import type { HelperHypervisor } from "../hypervisor/helper-hypervisor.ts";
import type { OpenFileCache } from "../images/cache/file-cache.ts";
import type { MessageFeed } from "../messages/message-feed.ts";
import { addCapacityMetrics } from "../metrics/capacity-metrics.ts";
import { addExecutionMetrics } from "../metrics/execution-metrics.ts";
import { createFunctionMetrics } from "../metrics/function-metrics.ts";
import { addHostMetrics } from "../metrics/host-metrics.ts";
import { addNetworkMetrics } from "../metrics/network-metrics.ts";
import { createStartMetrics, type StartMetrics } from "../metrics/start-metrics.ts";
import type { PaymentMonitor } from "../payments/payment-monitor.ts";
import type { ComputeNodeOptions } from "./compute-node-options.ts";

/** What the parts of a node are given to count with. */
export interface ComputeMetrics {
  readonly registry: Registry;
  readonly starts: StartMetrics;
  readonly functions: FunctionObserver;
}

export function createComputeMetrics(): ComputeMetrics {
  const registry = new Registry();
  const starts = createStartMetrics(registry);
  const visits = createFunctionMetrics(registry);
  return { registry, starts, functions: { ...visits, started: (way) => starts.started("program", way) } };
}

export interface MeasuredParts {
  readonly hypervisor: HelperHypervisor;
  readonly executions: RunningExecutions;
  readonly functions: Pick<Functions, "templates">;
  readonly cache: OpenFileCache;
  readonly feed: MessageFeed;
  readonly payments: PaymentMonitor;
}

/** Lets the metrics read what the parts keep for themselves. What is returned ends with the node. */
export function measureParts(
  { registry }: ComputeMetrics,
  { version, clock }: ComputeNodeOptions,
  { hypervisor, executions, functions, cache, feed, payments }: MeasuredParts,
): Disposable {
  const { manager, store, admission, contact } = executions;
  addExecutionMetrics(registry, { executions: manager, store });
  addCapacityMetrics(registry, admission);
  addHostMetrics(registry, {
    version,
    capabilities: () => hypervisor.capabilities(),
    isHelperConnected: () => hypervisor.isConnected,
    templates: () => functions.templates(),
    cache: () => cache.usage(),
  });
  addNetworkMetrics(registry, { contact, feed, payments });
  const eventLoop = createEventLoopMonitor();
  addProcessMetrics(registry, eventLoop, clock);
  return eventLoop;
}
