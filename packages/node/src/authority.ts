import { join } from "node:path";
import type { Clock, Logger, Random, Timers } from "@twentysix/platform";
import type { NetworkDefinition } from "@twentysix/protocol";
import type { Authority } from "@twentysix/services";
import type { NodeConfig } from "./config/index.ts";
import { reachableUrl } from "./reachable-url.ts";
import { rolesOf } from "./roles.ts";

/** Loaded with a role that needs them: other nodes start sooner, and are smaller, without them. */
const loadServices = () => import("@twentysix/services");

/** What an authority needs that can be wrong in the configuration: read before anything is started. */
export type AuthorityInputs = Awaited<ReturnType<typeof readAuthorityInputs>>;

/**
 * Reads keys and settings of the authority; null when the process is none.
 *
 * @throws AuthorityKeysError, AuthoritySettingsError
 */
export async function readAuthorityInputs(config: NodeConfig, definition: NetworkDefinition) {
  if (!rolesOf(config, definition).includes("authority")) return null;
  const { authorityAccounts, defaultAuthoritySettings, readKeyFile, readSettingsFile } = await loadServices();
  const fileAccounts = config.authorityKeys === null ? [] : await readKeyFile(config.authorityKeys);
  const defaults = {
    ...defaultAuthoritySettings(definition.developmentAccounts),
    updatesPrices: config.authorityPrices === "update",
  };
  return {
    accounts: authorityAccounts(definition, fileAccounts),
    settings:
      config.authoritySettings === null
        ? defaults
        : await readSettingsFile(config.authoritySettings, defaults),
  };
}

export interface AuthorityServices {
  readonly apiUrl: string;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Logger;
}

/** Starts the authority of a network beside a node that answers. */
export async function startNetworkAuthority(
  config: NodeConfig,
  definition: NetworkDefinition,
  inputs: NonNullable<AuthorityInputs>,
  services: AuthorityServices,
): Promise<Authority> {
  const { startAuthority } = await loadServices();
  return await startAuthority({
    ...services,
    ...inputs,
    definition,
    apiUrl: reachableUrl(services.apiUrl),
    dataDir: join(config.dataDir, "authority"),
    faucet: config.faucetPort === null ? null : { host: "127.0.0.1", port: config.faucetPort },
    log: services.log.child({ part: "authority" }),
  });
}
