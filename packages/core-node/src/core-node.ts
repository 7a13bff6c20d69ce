import { createEventLoopMonitor } from "@twentysix/platform";
import { addProcessMetrics } from "@twentysix/platform/metrics";
import { contractChainsOf } from "@twentysix/protocol";
import type { PointReads } from "@twentysix/storage";
import { createApi } from "./api/create-api.ts";
import type { ApiSettings } from "./api/settings.ts";
import { type ChainSettings, NO_CHAINS } from "./chain/chain-settings.ts";
import { type NodePartsOptions, startNodeParts } from "./node-parts.ts";
import type { Pipeline } from "./pipeline/pipeline.ts";

export interface CoreNodeOptions extends NodePartsOptions {
  readonly apiHost: string;
  readonly apiPort: number;
  /** How the chains of the network are reached; by default none is. */
  readonly chains?: ChainSettings;
}

/** A Core Channel Node that runs. */
export interface CoreNode {
  /** Where the API answers, such as `http://127.0.0.1:4024`. */
  readonly apiUrl: string;
  /** Where other nodes reach it, with the name of the peer; empty where it keeps to itself. */
  peerAddresses(): readonly string[];
  readonly pipeline: Pipeline;
  readonly reads: PointReads;
  /** The limits that the API was started with. */
  readonly apiSettings: ApiSettings;
  /** Rejects when a part fails that the node cannot live without. */
  readonly failed: Promise<never>;
  close(): Promise<void>;
}

/** Starts the parts of a Core Channel Node in the order of their dependencies; `close` ends them in reverse. */
export async function startCoreNode(options: CoreNodeOptions): Promise<CoreNode> {
  const { definition, clock, timers, log } = options;
  await using stack = new AsyncDisposableStack();
  const parts = await startNodeParts(options, stack);
  const { pipeline, reader, contents, lifecycle, peers, services } = parts;
  const { registry, reads } = services;
  addProcessMetrics(registry, stack.use(createEventLoopMonitor()), clock);
  const api = await createApi(services, options.apiSettings);
  stack.defer(() => api.close());
  const apiUrl = await api.listen({ host: options.apiHost, port: options.apiPort });
  stack.defer(() => peers.close());
  await parts.startPeers(apiUrl);
  const { chains: settings = NO_CHAINS } = options;
  for (const chain of contractChainsOf(definition).filter((name) => settings.rpc[name] === undefined)) {
    const text = "Messages of contract wallets wait: there is no RPC of their chain to ask (--rpc)";
    log.warn(text, { chain });
  }
  if (Object.keys({ ...settings.rpc, ...settings.indexers }).length > 0) {
    const { startAnchoring } = await import("./chain/start-anchoring.ts");
    const { holds } = lifecycle;
    const anchored = {
      definition,
      pipeline,
      reader,
      contents,
      holds,
      registry,
      clock,
      timers,
      settings,
      peers,
    };
    const anchoring = stack.use(startAnchoring({ ...anchored, log: log.child({ part: "chain" }) }));
    parts.figures.followChains(anchoring);
  }
  const running = stack.move();
  return {
    apiUrl,
    peerAddresses: () => peers.multiAddresses(),
    pipeline,
    reads,
    apiSettings: options.apiSettings,
    failed: pipeline.failed,
    close: () => running.disposeAsync(),
  };
}
