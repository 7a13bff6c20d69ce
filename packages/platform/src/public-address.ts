import { BlockList, isIP } from "node:net";

/** What is not part of the public network. Source: IANA IPv4 and IPv6 Special-Purpose Address Registries. */
const SPECIAL = new BlockList();
for (const [address, bits] of [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3],
] as const)
  SPECIAL.addSubnet(address, bits, "ipv4");

/** Of IPv6, what is given out to hosts. */
const GLOBAL = new BlockList();
GLOBAL.addSubnet("2000::", 3, "ipv6");
for (const [address, bits] of [
  // Tunnels and translations lead to IPv4 addresses that are hidden in them.
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
] as const)
  SPECIAL.addSubnet(address, bits, "ipv6");

/** Whether an IP address is one of the public network; false for the name of a host too. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !SPECIAL.check(address, "ipv4");
  return family === 6 && GLOBAL.check(address, "ipv6") && !SPECIAL.check(address, "ipv6");
}
