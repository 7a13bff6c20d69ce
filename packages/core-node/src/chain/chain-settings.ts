import {
  CHAIN_FAMILIES,
  createEvmAccount,
  decodeLowerHex,
  type NetworkChain,
  type NetworkDefinition,
} from "@twentysix/protocol";
import { ChainError } from "./errors.ts";
import type { PackingRules } from "./packer/packer.ts";

/** How this node reaches the chains of its network. */
export interface ChainSettings {
  /** RPC URLs by chain, such as `ETH`; of several the first that works is used. */
  readonly rpc: Readonly<Record<string, readonly string[]>>;
  /** Indexers or explorers by chain, for chains without an RPC. */
  readonly indexers?: Readonly<Record<string, string>>;
  /** Private key of the account that pays for archives, 64 hexadecimal digits; null: this node writes none. */
  readonly packerKey: string | null;
  /** Other than the usual, for chains that are made for tests. */
  readonly packing?: Partial<PackingRules>;
  /** Shorter for chains that are made for tests. */
  readonly pollPeriodMs?: number;
}

export const NO_CHAINS: ChainSettings = { rpc: {}, packerKey: null };

/** A chain whose anchors are read over RPC. */
export interface RpcChain {
  readonly chain: NetworkChain;
  readonly sync: NonNullable<NetworkChain["sync"]>;
  readonly urls: readonly string[];
}

/**
 * The chains for which there is an RPC.
 *
 * @throws ChainError CHAIN_SETTINGS_INVALID: an RPC for a chain that the network does not anchor on; a key whose
 *   archives nobody would read, or that has no chain
 */
export function usableChains(
  definition: Pick<NetworkDefinition, "chains">,
  settings: ChainSettings,
): RpcChain[] {
  const usable = Object.entries(settings.rpc).map(([name, urls]) => {
    const chain = definition.chains.find((one) => one.chain === name);
    const refuse = (why: string): ChainError => invalid(`an RPC is given for ${name}, but ${why}`);
    if (chain === undefined) throw refuse("the network does not know this chain");
    if (chain.sync === null) throw refuse("the network anchors nothing on it");
    if (CHAIN_FAMILIES[chain.chain] !== "evm") throw refuse("it is no EVM chain");
    return { chain, sync: chain.sync, urls };
  });
  for (const name of Object.keys(settings.indexers ?? {})) {
    if (definition.chains.some(({ chain, sync }) => chain === name && sync !== null)) continue;
    throw invalid(`an indexer is given for ${name}, but the network anchors nothing on it`);
  }
  const { packerKey } = settings;
  if (packerKey === null) return usable;
  const { address } = createEvmAccount({ privateKey: decodeLowerHex(packerKey) });
  const packed = usable.filter(({ sync }) => sync.events.includes("sync"));
  if (packed.length === 0) throw invalid("there is a key to anchor with, but no RPC of a chain to anchor on");
  for (const { chain, sync } of packed) {
    const emitters = sync.authorisedEmitters ?? [address];
    if (emitters.some((one) => one.toLowerCase() === address.toLowerCase())) continue;
    throw invalid(`the archives of ${address} would be read by nobody: it is no emitter of ${chain.chain}`);
  }
  return usable;
}

const invalid = (why: string): ChainError => new ChainError("CHAIN_SETTINGS_INVALID", why);
