import { isIPv4, isIPv6 } from "node:net";

/** A range of addresses of either family: `base` is its first address as a number, without bits behind the prefix. */
export interface IpNetwork {
  readonly family: 4 | 6;
  readonly base: bigint;
  readonly prefixLength: number;
}

/** Of `172.16.0.0/12` or `fc00::/7`; null for anything else, also where bits behind the prefix are set. */
export function parseIpNetwork(text: string): IpNetwork | null {
  const [, addressText, lengthText] = /^([0-9a-fA-F.:]+)\/(\d{1,3})$/.exec(text) ?? [];
  if (addressText === undefined || lengthText === undefined) return null;
  const address = parseIpAddress(addressText);
  const prefixLength = Number(lengthText);
  if (address === null || prefixLength > bitsOf(address.family)) return null;
  const network = { family: address.family, base: address.value, prefixLength };
  return (address.value & (sizeOf(network) - 1n)) === 0n ? network : null;
}

/** An address as a number; null for text that is none (zones such as `%eth0` are none). */
export function parseIpAddress(text: string): { readonly family: 4 | 6; readonly value: bigint } | null {
  if (isIPv4(text)) return { family: 4, value: numberOf(text.split(".").map(Number), 8n) };
  if (!isIPv6(text) || text.includes("%")) return null;
  return { family: 6, value: numberOf(groupsOf(text), 16n) };
}

/** The address so far behind the first one of the network, in its usual text form (RFC 5952 for IPv6). */
export function addressAt(network: IpNetwork, offset: bigint): string {
  const value = network.base + offset;
  if (network.family === 4) return digitsOf(value, 8n, 4).join(".");
  const groups = digitsOf(value, 16n, 8).map((group) => group.toString(16));
  // The runtime's own rules for URLs are those of RFC 5952: the longest run of zeros becomes `::`.
  return new URL(`http://[${groups.join(":")}]/`).hostname.slice(1, -1);
}

export const formatIpNetwork = (network: IpNetwork): string =>
  `${addressAt(network, 0n)}/${network.prefixLength}`;

/** How many addresses it has. */
export const sizeOf = (network: IpNetwork): bigint =>
  1n << BigInt(bitsOf(network.family) - network.prefixLength);

/** The n-th part of that length, counted from 0; null where the pool has fewer. */
export function subnetAt(pool: IpNetwork, prefixLength: number, index: bigint): IpNetwork | null {
  if (prefixLength < pool.prefixLength || prefixLength > bitsOf(pool.family)) return null;
  const count = 1n << BigInt(prefixLength - pool.prefixLength);
  if (index < 0n || index >= count) return null;
  const step = 1n << BigInt(bitsOf(pool.family) - prefixLength);
  return { family: pool.family, base: pool.base + index * step, prefixLength };
}

/** Whether they have an address in common. */
export function overlaps(one: IpNetwork, other: IpNetwork): boolean {
  if (one.family !== other.family) return false;
  return one.base < other.base + sizeOf(other) && other.base < one.base + sizeOf(one);
}

/** Whether every address of the inner one is in the outer one. */
export const contains = (outer: IpNetwork, inner: IpNetwork): boolean =>
  overlaps(outer, inner) && inner.prefixLength >= outer.prefixLength;

const bitsOf = (family: 4 | 6): number => (family === 4 ? 32 : 128);

const numberOf = (digits: readonly number[], bits: bigint): bigint =>
  digits.reduce((value, digit) => (value << bits) | BigInt(digit), 0n);

function digitsOf(value: bigint, bits: bigint, count: number): number[] {
  const mask = (1n << bits) - 1n;
  return Array.from({ length: count }, (_, index) =>
    Number((value >> (BigInt(count - 1 - index) * bits)) & mask),
  );
}

/** The eight groups of an IPv6 address that is known to be one. */
function groupsOf(text: string): number[] {
  const canonical = new URL(`http://[${text}]/`).hostname.slice(1, -1);
  const [head = "", tail] = canonical.split("::");
  const before = hexGroups(head);
  if (tail === undefined) return before;
  const after = hexGroups(tail);
  return [...before, ...Array(8 - before.length - after.length).fill(0), ...after];
}

const hexGroups = (text: string): number[] =>
  text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16));
