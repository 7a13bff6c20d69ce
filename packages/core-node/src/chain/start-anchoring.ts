import { type Clock, createSystemRandom, type Logger, type Timers } from "@twentysix/platform";
import { contractChainsOf, type NetworkDefinition } from "@twentysix/protocol";
import { type ChainFigures, type ContentStore, remoteChainRecords } from "@twentysix/storage";
import type { Registry } from "prom-client";
import type { FileHolds } from "../content/file-holds.ts";
import type { Peers } from "../peers/peers.ts";
import type { Pipeline } from "../pipeline/pipeline.ts";
import type { ReaderThread } from "../reader/reader-thread.ts";
import { ArchiveFiles } from "./archive-file.ts";
import { ChainLoop } from "./chain-loop.ts";
import { addChainMetrics } from "./chain-metrics.ts";
import type { ChainReport } from "./chain-report.ts";
import { type ChainSettings, usableChains } from "./chain-settings.ts";
import type { ChainSource, SourceFigures } from "./chain-source.ts";
import { ChainVerdicts } from "./contract-wallets/chain-verdicts.ts";
import { ContractWallets } from "./contract-wallets/contract-wallets.ts";
import { EventProcessor } from "./event-processor.ts";
import { EvmReads } from "./evm/evm-reads.ts";
import { EvmSource } from "./evm/evm-source.ts";
import { JsonRpc } from "./evm/json-rpc.ts";
import { indexerSources } from "./indexer/indexer-sources.ts";
import { EvmSender } from "./packer/evm-sender.ts";
import { PACKING_RULES, Packer, type PackingRules } from "./packer/packer.ts";

export interface AnchoringOptions {
  readonly definition: NetworkDefinition;
  readonly settings: ChainSettings;
  readonly pipeline: Pipeline;
  readonly reader: Pick<ReaderThread, "call">;
  readonly contents: ContentStore;
  readonly holds: FileHolds;
  /** Bring archives that this node does not have, and messages before they are packed. */
  readonly peers: Pick<Peers, "fetch" | "collect">;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Logger;
}

/** The part of a node that reads and writes chains. */
export interface Anchoring extends AsyncDisposable {
  figures(): AnchoringFigures;
  report(): Promise<ChainReport>;
}

/** For the status of the node. */
export interface AnchoringFigures {
  /** Events whose messages were not taken yet. */
  readonly pendingEvents: number;
  /** Of Ethereum; null: it is not read. */
  readonly ethereum: SourceFigures | null;
}

/** How soon an event is tried again whose time has come. */
const PROCESS_PERIOD_MS = 2_000;
/** How soon a signature that a chain is to be asked about is looked at. */
const ASK_PERIOD_MS = 1_000;
/** Events that failed, in a report. */
const MAX_TROUBLED = 100;

/**
 * Reads what the chains of the network anchor, and where this node has a key for it, anchors what no chain confirms.
 *
 * @throws ChainError CHAIN_SETTINGS_INVALID
 */
export function startAnchoring(options: AnchoringOptions): Anchoring {
  const { definition, settings, pipeline, clock, timers, log } = options;
  const stop = new AbortController();
  const { signal } = stop;
  const records = remoteChainRecords((name, parameters) =>
    options.reader.call({ kind: "chainRecord", name, parameters }, signal),
  );
  const archives = new ArchiveFiles({
    ...options,
    fetchContent: (hash, _engine, stop) => options.peers.fetch(hash, stop),
  });
  const change = pipeline.changeChain.bind(pipeline);
  const processor = new EventProcessor({
    ...{ records, pipeline, archives, clock, timers, log },
    random: createSystemRandom(),
  });
  const services = { records, change, timers, signal };
  const sources: ChainSource[] = indexerSources(definition, settings, services);
  const packers: Packer[] = [];
  const rules: PackingRules = { ...PACKING_RULES, ...settings.packing };
  const contractChains = contractChainsOf(definition);
  const verdicts = new Map<string, ChainVerdicts>();
  for (const { chain, sync, urls } of usableChains(definition, settings)) {
    const rpc = new JsonRpc({ urls, chainId: chain.chainId, timers, log, signal });
    const { pollPeriodMs } = settings;
    const parts = { chain: chain.chain, sync, records, change, log };
    const reads = new EvmReads(rpc);
    const source = new EvmSource({
      ...parts,
      reads,
      ...(pollPeriodMs === undefined ? {} : { pollPeriodMs }),
    });
    sources.push(source);
    if (contractChains.includes(chain.chain)) {
      const { finalityDepth } = sync;
      verdicts.set(chain.chain, new ChainVerdicts({ chain: chain.chain, reads, finalityDepth }));
    }
    if (settings.packerKey === null || !sync.events.includes("sync")) continue;
    const sender = new EvmSender(rpc, settings.packerKey);
    const isInSync = (): boolean => source.figures().remainingBlocks === 0;
    const collect = options.peers.collect.bind(options.peers);
    packers.push(new Packer({ ...parts, sender, archives, collect, isInSync, rules, clock }));
  }
  const loop = (
    name: string,
    periodMs: number,
    round: (signal: AbortSignal) => Promise<boolean>,
  ): ChainLoop => new ChainLoop({ name, periodMs, round, timers, log, signal });
  let events: ChainFigures = { waiting: 0, quarantined: 0, refused: 0 };
  const processing = loop("Taking what chains told", PROCESS_PERIOD_MS, async (ends) => {
    const hasMore = await processor.run(ends);
    events = await records.figures();
    return hasMore;
  });
  const packing = packers.map((packer) =>
    loop("Packing", rules.periodMs, async (ends) => {
      await packer.round(ends);
      return false;
    }),
  );
  const readings = sources.map((source) => {
    let wasInSync = false;
    return loop(`Reading ${source.chain} by ${source.name}`, source.pollPeriodMs, async (ends) => {
      const hasMore = await source.poll(ends);
      processing.nudge();
      const isInSync = source.figures().remainingBlocks === 0;
      if (isInSync && !wasInSync) for (const one of packing) one.nudge();
      wasInSync = isInSync;
      return hasMore;
    });
  });
  const decide = pipeline.decideSignature.bind(pipeline);
  const wallets = new ContractWallets({ definition, records, chains: verdicts, decide, clock, log });
  const asking =
    verdicts.size === 0
      ? []
      : [loop("Asking contract wallets", ASK_PERIOD_MS, (ends) => wallets.round(ends))];
  addChainMetrics(options.registry, { events: () => events, sources, packers });
  return {
    figures: () => ({
      pendingEvents: events.waiting + events.quarantined,
      ethereum: sources.find(({ chain }) => chain === "ETH")?.figures() ?? null,
    }),
    report: async () => ({
      sources: sources.map((source) => ({
        chain: source.chain,
        source: source.name,
        ...source.figures(),
      })),
      events: await records.figures(),
      troubled: await records.troubled(MAX_TROUBLED),
      packs: (await Promise.all(sources.map(({ chain }) => records.openPacks(chain)))).flat(),
    }),
    async [Symbol.asyncDispose]() {
      stop.abort(new Error("the node is stopping"));
      await Promise.all([processing, ...readings, ...packing, ...asking].map((one) => one.ended));
    },
  };
}
