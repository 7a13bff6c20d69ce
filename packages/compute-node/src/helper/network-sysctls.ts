import { existsSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { TAP_PREFIX } from "../networking/vm-names.ts";

const IPV4 = "/proc/sys/net/ipv4";
const IPV6 = "/proc/sys/net/ipv6";

/** Whether this kernel has IPv6 at all. */
export const hasIpv6 = (): boolean => existsSync(IPV6);

/**
 * Makes the host forward packets between its devices. A host that forwards ignores router advertisements, by which it
 * may have its own route to the outside: devices that listened to them go on doing so.
 */
export async function enableForwarding(): Promise<void> {
  await change(join(IPV4, "ip_forward"), "1");
  if (!hasIpv6()) return;
  const isForwarding = (await readFile(join(IPV6, "conf/all/forwarding"), "utf8")).trim() === "1";
  if (isForwarding) return;
  for (const device of await readdir(join(IPV6, "conf"))) {
    const path = join(IPV6, "conf", device, "accept_ra");
    if (device.startsWith(TAP_PREFIX)) continue;
    if ((await readFile(path, "utf8")).trim() === "1") await change(path, "2");
  }
  await change(join(IPV6, "conf/all/forwarding"), "1");
}

/** A guest's link teaches this host nothing: no routes, no redirects; and it learns nothing of other addresses. */
export async function hardenDevice(device: string): Promise<void> {
  const ipv4 = { rp_filter: "1", arp_ignore: "1", accept_redirects: "0", send_redirects: "0" };
  // Nobody else is on the link whose address could be a duplicate: it serves from the first packet on.
  const ipv6 = { accept_dad: "0", disable_ipv6: "0", accept_ra: "0", autoconf: "0", accept_redirects: "0" };
  for (const [name, value] of Object.entries(ipv4)) await change(join(IPV4, "conf", device, name), value);
  if (!hasIpv6()) return;
  for (const [name, value] of Object.entries(ipv6)) await change(join(IPV6, "conf", device, name), value);
}

/** The device answers for neighbours that are behind this host. */
export const enableNeighbourProxy = (device: string): Promise<void> =>
  change(join(IPV6, "conf", device, "proxy_ndp"), "1");

async function change(path: string, value: string): Promise<void> {
  if ((await readFile(path, "utf8")).trim() !== value) await writeFile(path, value);
}
