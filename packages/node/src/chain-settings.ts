import { open } from "node:fs/promises";
import { ChainError, type ChainSettings, usableChains } from "@twentysix/core-node";
import type { NetworkDefinition } from "@twentysix/protocol";
import { splitRpc } from "./config/chain-kinds.ts";
import type { NodeConfig } from "./config/index.ts";
import { SettingError } from "./setting-error.ts";

/** Whoever else may read the file could spend the money of the account. */
const OTHERS = 0o077;
const MAX_FILE_BYTES = 4_096;
const KEY = /^(?:0x)?([0-9a-f]{64})$/;

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
  const packerKey = config.chainKeyFile === null ? null : await readKey(config.chainKeyFile);
  const settings = { rpc, indexers: Object.fromEntries(indexers), packerKey };
  try {
    usableChains(definition, settings);
  } catch (error) {
    if (!(error instanceof ChainError)) throw error;
    throw new SettingError("CHAIN_SETTINGS_INVALID", "rpc", error.message);
  }
  return settings;
}

/** What is in the file is never repeated, in errors neither. */
async function readKey(path: string): Promise<string> {
  const unusable = (reason: string): SettingError =>
    new SettingError("CHAIN_KEY_UNUSABLE", "chainKeyFile", `${path} ${reason}`);
  await using file = await open(path, "r").catch((error: NodeJS.ErrnoException) => {
    throw unusable(`cannot be read (${error.code ?? error.message})`);
  });
  const { mode, size } = await file.stat();
  if (process.platform !== "win32" && (mode & OTHERS) !== 0) {
    throw unusable(`can be reached by others than its owner: run \`chmod 600 ${path}\``);
  }
  if (size > MAX_FILE_BYTES) throw unusable(`has ${size} bytes: that is no key file`);
  const key = KEY.exec((await file.readFile("utf8")).trim().toLowerCase())?.[1];
  if (key === undefined) throw unusable("holds no private key: write 64 hexadecimal digits");
  return key;
}
