import { parseIpAddress, parseIpNetwork } from "../networking/ip-network.ts";
import type { MappedPort } from "../networking/vm-network.ts";
import { DROP_REASONS } from "./network-chains.ts";
import { PRIVATE_IPV4, PRIVATE_IPV6 } from "./network-private-ranges.ts";
import type { HostNetwork, HostNetworkSettings } from "./network-settings.ts";

/** A set or map of the table: how it is declared, and what it holds; null: it counts, and keeps what it has. */
export interface NamedSet {
  readonly kind: "set" | "map";
  readonly name: string;
  readonly type: string;
  readonly elements: readonly string[] | null;
}

/** Everything that rules ask for by name. */
export function tableSets(
  settings: HostNetworkSettings,
  networks: readonly HostNetwork[],
): readonly NamedSet[] {
  const online = networks.filter(({ hasInternet }) => hasInternet);
  return [
    set("taps", "type ifname;", networks.map(commentedTap)),
    set("online", "type ifname;", online.map(quotedTap)),
    set("cards", "type ifname . ether_addr;", networks.map(cardOf)),
    set("sources4", "type ifname . ipv4_addr;", networks.map(ipv4SourceOf)),
    set(
      "sources6",
      "type ifname . ipv6_addr; flags interval;",
      networks.map((network) => `${quotedTap(network)} . ${network.addresses.ipv6Network}`),
    ),
    ...ranges("private", PRIVATE_IPV4, PRIVATE_IPV6),
    ...ranges("allowed", ...byFamily(settings.allowedNetworks, parseIpNetwork)),
    ...ranges("name_servers", ...byFamily(settings.nameServers, parseIpAddress)),
    portMap("tcp", networks),
    portMap("udp", networks),
    ...COUNTED.map((name) => counting(name, "")),
    ...DROP_REASONS.map((name) => counting(name, " counter;")),
  ];
}

/** What the rules count of each machine beside what they drop. */
const COUNTED = [
  ...["connections_out", "connections_in", "new_connections", "sent", "received"],
  ...["discoveries", "echoes"],
];

export const arpSets = (networks: readonly HostNetwork[]): readonly NamedSet[] => [
  set("taps", "type ifname;", networks.map(commentedTap)),
  set("cards", "type ifname . ether_addr;", networks.map(cardOf)),
  set("sources", "type ifname . ipv4_addr;", networks.map(ipv4SourceOf)),
];

const set = (name: string, type: string, elements: readonly string[]): NamedSet => ({
  kind: "set",
  name,
  type,
  elements,
});

const counting = (name: string, stateful: string): NamedSet => ({
  kind: "set",
  name,
  type: `type ifname; flags dynamic; size 8192;${stateful}`,
  elements: null,
});

const ranges = (name: string, ipv4: readonly string[], ipv6: readonly string[]): NamedSet[] => [
  set(`${name}4`, "type ipv4_addr; flags interval; auto-merge;", ipv4),
  set(`${name}6`, "type ipv6_addr; flags interval; auto-merge;", ipv6),
];

const quotedTap = ({ tapName }: HostNetwork): string => `"${tapName}"`;
/** Whoever lists the table sees whose the device is. */
const commentedTap = ({ tapName, vmNumber, vmHash }: HostNetwork): string =>
  `"${tapName}" comment "${vmNumber} ${vmHash}"`;
const cardOf = (network: HostNetwork): string => `${quotedTap(network)} . ${network.macAddress}`;
const ipv4SourceOf = (network: HostNetwork): string =>
  `${quotedTap(network)} . ${network.addresses.guestIpv4}`;

function portMap(protocol: "tcp" | "udp", networks: readonly HostNetwork[]): NamedSet {
  const elements = networks.flatMap(({ addresses, ports }) =>
    ports
      .filter((port: MappedPort) => port[protocol])
      .map(({ hostPort, guestPort }) => `${hostPort} : ${addresses.guestIpv4} . ${guestPort}`),
  );
  return {
    kind: "map",
    name: `${protocol}_ports`,
    type: "type inet_service : ipv4_addr . inet_service;",
    elements,
  };
}

function byFamily(
  texts: readonly string[],
  parse: (text: string) => { readonly family: 4 | 6 } | null,
): [string[], string[]] {
  const ofFamily = (family: 4 | 6) => texts.filter((text) => parse(text)?.family === family);
  return [ofFamily(4), ofFamily(6)];
}
