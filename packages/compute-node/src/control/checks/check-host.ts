import { lookup, Resolver } from "node:dns/promises";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { isIPv4, isIPv6 } from "node:net";
import type { Timers } from "@twentysix/platform";
import type { CheckSettings } from "../../compute-settings.ts";

export interface FamilyCheck {
  /** Reaches a literal address. */
  readonly egress: boolean;
  /** One of its resolvers answers. */
  readonly dns: boolean;
  /** A name has an address of this family. */
  readonly domain: boolean;
  readonly http: boolean;
}

const PROBE_MS = 5_000;

/** What this host reaches of the world, over both versions of IP. Source: aleph-vm `views/host_status.py`. */
export async function checkHost(
  checks: CheckSettings,
  dnsServers: readonly string[],
  timers: Timers,
  signal: AbortSignal,
): Promise<{ readonly ipv4: FamilyCheck; readonly ipv6: FamilyCheck }> {
  const family = async (version: 4 | 6): Promise<FamilyCheck> => {
    const probe = (work: (bounded: AbortSignal) => Promise<boolean>) => holds(timers, signal, work);
    const servers = dnsServers.filter(version === 4 ? isIPv4 : isIPv6);
    const [egress, dns, domain, http] = await Promise.all([
      probe((bounded) => answers(version === 4 ? checks.ipv4Url : checks.ipv6Url, version, bounded)),
      probe(() => anyResolves(servers, checks.dnsHostname)),
      probe(async () => (await lookup(checks.dnsHostname, { family: version })).family === version),
      probe((bounded) => anyAnswers(checks.httpUrls, version, bounded)),
    ]);
    return { egress, dns, domain, http };
  };
  const [ipv4, ipv6] = await Promise.all([family(4), family(6)]);
  return { ipv4, ipv6 };
}

export function hasIpv6Egress(checks: CheckSettings, timers: Timers, signal: AbortSignal): Promise<boolean> {
  return holds(timers, signal, (bounded) => answers(checks.ipv6Url, 6, bounded));
}

/** A probe that fails in any way has found that it does not hold. */
async function holds(
  timers: Timers,
  signal: AbortSignal,
  probe: (signal: AbortSignal) => Promise<boolean>,
): Promise<boolean> {
  try {
    return await timers.withTimeout(PROBE_MS, probe, signal);
  } catch {
    signal.throwIfAborted();
    return false;
  }
}

async function anyResolves(servers: readonly string[], hostname: string): Promise<boolean> {
  return Promise.any(
    servers.map(async (server) => {
      const resolver = new Resolver({ timeout: PROBE_MS, tries: 1 });
      resolver.setServers([server]);
      return (await resolver.resolve4(hostname)).length > 0;
    }),
  );
}

function anyAnswers(urls: readonly string[], family: 4 | 6, signal: AbortSignal): Promise<boolean> {
  return Promise.any(
    urls.map(async (url) => {
      if (await answers(url, family, signal)) return true;
      throw new Error(`${url} refuses`);
    }),
  );
}

/** Whether somebody answers there at all, over this version of IP alone. */
function answers(url: string, family: 4 | 6, signal: AbortSignal): Promise<boolean> {
  const send = url.startsWith("https:") ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const request = send(url, { family, signal, agent: false }, (response) => {
      response.resume();
      response.destroy();
      resolve((response.statusCode ?? 500) < 500);
    });
    request.once("error", reject);
    request.end();
  });
}
