import { join } from "node:path";
import type { NetworkDefinition } from "@twentysix/protocol";
import { readSchedulerEnvironment, type Scheduler, startScheduler } from "@twentysix/services";
import type { NodeConfig } from "../config/index.ts";
import { readPrivateKey } from "../private-key-file.ts";
import { SettingError } from "../setting-error.ts";
import { VERSION } from "../version.ts";
import type { NodeSurroundings } from "./start-compute.ts";

/**
 * Starts the scheduler of this process. What a deployment of the reference has set counts before this program's own
 * settings.
 *
 * @throws SettingError CORE_NODES_MISSING, SCHEDULER_KEY_MISSING, SCHEDULER_KEY_UNUSABLE; SchedulerError
 * SCHEDULER_BAD_SETTING
 */
export async function startScheduling(
  config: NodeConfig,
  { definition, coreNodeUrls, environment, clock, timers, random, log }: NodeSurroundings,
): Promise<Scheduler> {
  const said = readSchedulerEnvironment(environment);
  const [apiUrl, ...otherApiUrls] = [...(said.coreApiUrl === null ? [] : [said.coreApiUrl]), ...coreNodeUrls];
  if (apiUrl === undefined)
    throw new SettingError("CORE_NODES_MISSING", "coreNodes", "the role scheduler needs --core-nodes");
  const isPrivate = definition.announce === "private";
  return startScheduler({
    clock,
    timers,
    random,
    definition,
    apiUrl,
    otherApiUrls,
    signingKey: said.signingKey ?? (await signingKey(config, definition)),
    legacyToken: said.legacyToken,
    registryAddress: said.registryAddress,
    dataDir: said.dataDir ?? join(config.dataDir, "scheduler"),
    api: { host: said.apiHost ?? config.schedulerHost, port: said.apiPort ?? config.schedulerPort },
    settings: {
      isDryRun: config.schedulerMode === "dry-run",
      allowsPrivateAddresses: isPrivate,
      // Guests of a network on one machine are reached by forwarded ports.
      requiresPublicIpv6: !isPrivate,
      ...said.settings,
    },
    version: VERSION,
    log: log.child({ part: "scheduler" }),
  });
}

/** Of a file, or the one that the network has published: nodes trust its address. */
async function signingKey(config: NodeConfig, definition: NetworkDefinition): Promise<string> {
  if (config.schedulerKeyFile !== null) {
    return readPrivateKey(config.schedulerKeyFile, "SCHEDULER_KEY_UNUSABLE", "schedulerKeyFile");
  }
  const { signers } = definition.authorities.allocation;
  const published = definition.developmentAccounts.find(({ address }) => signers.includes(address));
  if (published !== undefined) return published.insecurePrivateKey;
  const reason = `no key of a scheduler of the network ${definition.name} is published: give a file with that of ${signers.join(" or ")}`;
  throw new SettingError("SCHEDULER_KEY_MISSING", "schedulerKeyFile", reason);
}
