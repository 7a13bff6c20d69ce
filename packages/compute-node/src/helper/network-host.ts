import { readFile } from "node:fs/promises";
import { type IpNetwork, parseIpAddress } from "../networking/ip-network.ts";

/** A network that a device of this host is on. */
export interface AttachedNetwork {
  readonly device: string;
  readonly network: IpNetwork;
}

/** Names of all devices, whether they are up or not. */
export async function deviceNames(): Promise<ReadonlySet<string>> {
  const text = await readFile("/proc/net/dev", "utf8");
  return new Set([...text.matchAll(/^\s*([^\s:|]+):/gm)].map(([, name = ""]) => name));
}

/** The networks of all devices, with and without a carrier. Read from the kernel: no program is started for it. */
export async function attachedNetworks(): Promise<readonly AttachedNetwork[]> {
  return [...(await ipv4Networks()), ...(await ipv6Networks())];
}

/** The device that routes to the outside over IPv6; null: there is none. */
export async function outsideIpv6Device(): Promise<string | null> {
  const routes = (await readOrEmpty("/proc/net/ipv6_route")).split("\n").map((line) => line.split(/\s+/));
  const isDefault = ([destination = "", length]: readonly string[]): boolean =>
    /^0{32}$/.test(destination) && length === "00";
  return routes.find((route) => isDefault(route) && route[9] !== "lo")?.[9] ?? null;
}

/** Routes without a gateway. Their numbers are as the processor has them: the last byte first. */
async function ipv4Networks(): Promise<AttachedNetwork[]> {
  const lines = (await readOrEmpty("/proc/net/route")).split("\n").slice(1);
  return lines.flatMap((line) => {
    const [device, destination = "", gateway, , , , , mask = ""] = line.split("\t");
    if (device === undefined || gateway !== "00000000" || mask === "00000000" || mask === "") return [];
    const prefixLength = ones(numberOf(mask));
    return [{ device, network: { family: 4 as const, base: numberOf(destination), prefixLength } }];
  });
}

async function ipv6Networks(): Promise<AttachedNetwork[]> {
  const lines = (await readOrEmpty("/proc/net/if_inet6")).split("\n");
  return lines.flatMap((line) => {
    const [digits = "", , length = "", , , device] = line.trim().split(/\s+/);
    const address = parseIpAddress((digits.match(/.{4}/g) ?? []).join(":"));
    if (address === null || device === undefined) return [];
    const prefixLength = Number.parseInt(length, 16);
    const spare = BigInt(128 - prefixLength);
    const base = (address.value >> spare) << spare;
    return [{ device, network: { family: 6 as const, base, prefixLength } }];
  });
}

const numberOf = (hex: string): bigint => BigInt(`0x${(hex.match(/../g) ?? []).reverse().join("")}`);

const ones = (mask: bigint): number => mask.toString(2).replaceAll("0", "").length;

/** A kernel without IPv6 has none of its files. */
async function readOrEmpty(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}
