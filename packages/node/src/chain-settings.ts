import { ChainError, type ChainSettings, usableChains } from "@twentysix/core-node";
import type { NetworkDefinition } from "@twentysix/protocol";
import { splitRpc } from "./config/chain-kinds.ts";
import type { NodeConfig } from "./config/index.ts";
import { readPrivateKey } from "./private-key-file.ts";
import { SettingError } from "./setting-error.ts";

/**
 * How this node reaches the chains of its network.
 *
 * @throws SettingError CHAIN_KEY_UNUSABLE, CHAIN_SETTINGS_INVALID
 */
export async function chainSettingsOf(
  config: Pick<NodeConfig, "rpc" | "indexers" | "chainKeyFile">,
  definition: Pick<NetworkDefinition, "chains" | "bootstrap">,
): Promise<ChainSettings> {
  const rpc: Record<string, string[]> = {};
  for (const { chain, url } of config.rpc.map(splitRpc)) {
    const urls = rpc[chain] ?? [];
    rpc[chain] = [...urls, url];
  }
  const indexers =
    config.indexers === null
      ? definition.bootstrap.indexers.map(({ chain, url }) => [chain, url] as const)
      : config.indexers.map(splitRpc).map(({ chain, url }) => [chain, url] as const);
  const packerKey =
    config.chainKeyFile === null
      ? null
      : await readPrivateKey(config.chainKeyFile, "CHAIN_KEY_UNUSABLE", "chainKeyFile");
  const settings = { rpc, indexers: Object.fromEntries(indexers), packerKey };
  try {
    usableChains(definition, settings);
  } catch (error) {
    if (!(error instanceof ChainError)) throw error;
    throw new SettingError("CHAIN_SETTINGS_INVALID", "rpc", error.message);
  }
  return settings;
}
