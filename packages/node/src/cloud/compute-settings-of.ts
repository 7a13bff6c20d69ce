import { getServers } from "node:dns";
import { isIP } from "node:net";
import { type ComputeSettings, DEFAULT_COMPUTE_SETTINGS } from "@twentysix/compute-node";
import type { NetworkDefinition } from "@twentysix/protocol";
import type { NodeConfig } from "../config/index.ts";

const MIB = 2 ** 20;

/** What the operator and the network say of the compute node. */
export function computeSettingsOf(
  config: NodeConfig,
  definition: Pick<NetworkDefinition, "authorities" | "announce">,
): ComputeSettings {
  const defaults = DEFAULT_COMPUTE_SETTINGS;
  const { allocation, prices, registry } = definition.authorities;
  return {
    ...defaults,
    identity: {
      ...defaults.identity,
      domainName: config.computeDomain ?? domainOf(config.computeHost),
      publicUrl: config.computeDomain === null ? listenedUrl(config) : null,
      nodeHash: config.computeNodeHash,
      ownerAddress: config.computeOwner,
      registry: { address: registry.address, key: registry.key },
    },
    allocation: {
      ...defaults.allocation,
      signers: config.allocationSigners,
      defaultSigners: allocation.signers,
      settingsAddress: prices.address,
    },
    checks: {
      ...defaults.checks,
      fastapiHash: config.checkProgram,
      legacyFastapiHash: config.checkLegacyProgram,
    },
    payment: { ...defaults.payment, receiverAddress: config.paymentReceiver },
    functions: {
      ...defaults.functions,
      prefersOwnInit: config.runtimeInit === "own",
      trustedProxies: config.trustedProxies,
    },
    storage: {
      ...defaults.storage,
      cacheQuotaBytes: config.vmCacheBytes,
      diskBytesPerSecondPerVcpu: config.vmDiskBandwidth === null ? null : config.vmDiskBandwidth * MIB,
    },
    network: {
      ...defaults.network,
      ipv4Pool: config.vmIpv4Pool,
      ipv6Pool: config.vmIpv6Pool,
      ipv6Policy: config.vmIpv6Policy,
      firstHostPort: config.vmFirstPort,
      dnsServers: config.vmDns ?? hostResolvers(defaults.network.dnsServers),
    },
  };
}

/** Owners sign the host of the address that they use; one for all addresses of this machine is none of them. */
function domainOf(host: string): string {
  return host === "0.0.0.0" || host === "::" ? "localhost" : host;
}

/** null while the port is whichever is free: the node itself knows it once it listens. */
function listenedUrl({ computeHost, computePort }: NodeConfig): string | null {
  if (computePort === 0) return null;
  const host = domainOf(computeHost);
  return `http://${isIP(host) === 6 ? `[${host}]` : host}:${computePort}`;
}

/** Those of this machine; loopback means nothing to a guest. */
function hostResolvers(others: readonly string[]): readonly string[] {
  const own = getServers().filter((server) => isIP(server) !== 0 && !/^(127\.|::1$)/.test(server));
  return own.length > 0 ? own : others;
}
