import type { Timers } from "@twentysix/platform";
import type { NetworkDefinition } from "@twentysix/protocol";
import type { ChainSettings } from "../chain-settings.ts";
import type { ChainSource, SourceServices } from "../chain-source.ts";
import { EvmIndexerSource } from "./evm-indexer-source.ts";
import { NulsSource } from "./nuls-source.ts";
import { TezosSource } from "./tezos-source.ts";

export interface IndexerServices extends SourceServices {
  readonly timers: Pick<Timers, "withTimeout">;
  readonly signal: AbortSignal;
}

/** Sources of chains that have an indexer and no RPC, which would be read directly. */
export function indexerSources(
  definition: Pick<NetworkDefinition, "chains">,
  settings: ChainSettings,
  services: IndexerServices,
): ChainSource[] {
  const { pollPeriodMs } = settings;
  return definition.chains.flatMap(({ chain, sync }): ChainSource[] => {
    const url = settings.indexers?.[chain];
    if (url === undefined || sync === null || settings.rpc[chain] !== undefined) return [];
    const parts = { ...services, chain, url, ...(pollPeriodMs === undefined ? {} : { pollPeriodMs }) };
    if (sync.reader === "explorer") {
      return [new NulsSource({ ...parts, address: sync.contract, remark: sync.remark })];
    }
    if (chain === "TEZOS") return [new TezosSource({ ...parts, contract: sync.contract })];
    return sync.events.map((event) => new EvmIndexerSource({ ...parts, sync, event }));
  });
}
