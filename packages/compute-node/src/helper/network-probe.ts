import { access, constants } from "node:fs/promises";
import { tapNameOf } from "../networking/vm-names.ts";
import { runTool } from "../processes/run-tool.ts";
import { removeTap } from "./network-devices.ts";
import { deviceNames } from "./network-host.ts";
import { rulesOf } from "./network-rules.ts";
import type { HostNetworkSettings } from "./network-settings.ts";
import { hasIpv6 } from "./network-sysctls.ts";

/** Of a device that is no machine's. */
const PROBE_NUMBER = 99_999;

/**
 * What this host cannot do for networks of machines, each with the reason, found by trying: a device is made and removed,
 * rules are checked by the kernel.
 */
export async function missingNetworkAbilities(
  settings: HostNetworkSettings,
  signal: AbortSignal,
): Promise<Readonly<Record<string, string>>> {
  const trials = [
    () => makesTaps(settings, signal),
    () => checksRules(settings, signal),
    () => access("/proc/sys/net/ipv4/ip_forward", constants.W_OK),
  ];
  for (const trial of trials) {
    try {
      await trial();
    } catch (error) {
      signal.throwIfAborted();
      return { tap: error instanceof Error ? error.message : String(error) };
    }
  }
  return hasIpv6() ? {} : { ipv6: "this kernel runs without IPv6" };
}

async function makesTaps({ networkId }: HostNetworkSettings, signal: AbortSignal): Promise<void> {
  const name = tapNameOf(networkId, PROBE_NUMBER);
  // Of a helper that ended in the middle of its trial.
  if ((await deviceNames()).has(name)) await removeTap(name, signal);
  await runTool("ip", ["tuntap", "add", "dev", name, "mode", "tap"], { signal });
  await runTool("ip", ["link", "delete", "dev", name], { signal });
}

const checksRules = (settings: HostNetworkSettings, signal: AbortSignal): Promise<string> =>
  runTool("nft", ["--check", "-f", "-"], { input: rulesOf(settings, []), signal });
