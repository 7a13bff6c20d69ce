import { TAP_PREFIX } from "../networking/vm-names.ts";
import type { HostNetworkSettings } from "./network-settings.ts";

/** What is counted for each machine when it is dropped: the sets that count it have these names. */
export const DROP_REASONS = [
  "spoofed",
  "to_host",
  "to_machines",
  "to_private",
  "mail",
  "flood",
  "offline",
  "bandwidth",
] as const;

export type DropReason = (typeof DROP_REASONS)[number];

/** Chains of the table in the order in which the kernel is told of them, each with its hook; null: only jumped to. */
export const CHAIN_HOOKS: Readonly<Record<string, string | null>> = {
  limits: null,
  services: null,
  from_machine: null,
  to_machine: null,
  // Before connections are tracked: what is spoofed costs no entry in the table of connections.
  source: "type filter hook prerouting priority raw; policy accept;",
  translate_in: "type nat hook prerouting priority dstnat; policy accept;",
  translate_local: "type nat hook output priority -100; policy accept;",
  translate_out: "type nat hook postrouting priority srcnat; policy accept;",
  forward: "type filter hook forward priority filter; policy accept;",
  input: "type filter hook input priority filter; policy accept;",
};

/**
 * The rules of every chain. They name sets only, so that they stay the same whatever machines there are; what concerns
 * no machine of this node passes all of them.
 */
export function chainRules(settings: HostNetworkSettings): Readonly<Record<string, readonly string[]>> {
  return {
    ...guardRules(),
    ...translationRules(settings),
    ...forwardRules(settings),
    services: [
      "ip daddr @name_servers4 meta l4proto { tcp, udp } th dport 53 goto limits",
      "ip6 daddr @name_servers6 meta l4proto { tcp, udp } th dport 53 goto limits",
    ],
    limits: [
      `ct state new add @connections_out { iifname ct count over ${settings.maxConnections} } ${drop("flood")}`,
      `ct state new add @new_connections { iifname limit rate over ${settings.maxNewConnectionsPerSecond}/second ` +
        `burst ${settings.maxNewConnectionsPerSecond} packets } ${drop("flood")}`,
      "accept",
    ],
  };
}

/** Taps of all nodes of this host, not only of this one. */
const ANY_TAP = `"${TAP_PREFIX}*"`;

const drop = (reason: DropReason, verdict = "drop"): string =>
  `add @${reason} { iifname counter } ${verdict}`;

const DISCOVERY = "{ nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit }";

/** What a machine may claim to be, and what it may ask this host for: its neighbours on the link, and an echo. */
const guardRules = () => ({
  source: [
    "iifname != @taps accept",
    `iifname . ether saddr != @cards ${drop("spoofed")}`,
    `iifname . ip saddr != @sources4 ${drop("spoofed")}`,
    // Neighbour discovery speaks from the address of the link, and from none while it looks for duplicates.
    "ip6 saddr fe80::/10 accept",
    "ip6 saddr :: meta l4proto ipv6-icmp accept",
    `iifname . ip6 saddr != @sources6 ${drop("spoofed")}`,
  ],
  input: [
    "iifname != @taps accept",
    "ct state established,related accept",
    // Each of another address of the link that the host then remembers, in a table that all its machines share.
    `icmpv6 type ${DISCOVERY} add @discoveries { iifname limit rate over 10/second burst 50 packets } ${drop("flood")}`,
    `icmpv6 type ${DISCOVERY} ip6 hoplimit 255 accept`,
    ...["icmp", "icmpv6"].flatMap((protocol) => [
      `${protocol} type echo-request add @echoes { iifname limit rate over 20/second } ${drop("flood")}`,
      `${protocol} type echo-request accept`,
    ]),
    "jump services",
    drop("to_host"),
  ],
});

function translationRules({ outsideInterface }: HostNetworkSettings) {
  const comesIn = outsideInterface === null ? `iifname != ${ANY_TAP}` : `iifname "${outsideInterface}"`;
  const goesOut = outsideInterface === null ? `oifname != ${ANY_TAP}` : `oifname "${outsideInterface}"`;
  const ports = ["tcp", "udp"].map(
    (protocol) => `fib daddr type local dnat ip to ${protocol} dport map @${protocol}_ports`,
  );
  return {
    translate_in: ports.map((rule) => `${comesIn} ${rule}`),
    // The host itself reaches forwarded ports at its own addresses, but not at its loopback: answers would need a route
    // from machines into the loopback.
    translate_local: ["ip daddr 127.0.0.0/8 accept", ...ports],
    translate_out: [`iifname @taps ${goesOut} meta nfproto ipv4 masquerade`],
  };
}

/** Packets of several kilobytes come at once where cards put them together. */
const MIN_BURST_BYTES = 262_144;

/**
 * What is beyond is dropped, and senders slow down. The kernel lets a machine that was silent have what a second brings,
 * and the burst. Source: Linux `net/netfilter/nft_limit.c`.
 */
function bandwidthRules({ maxBytesPerSecond }: HostNetworkSettings): readonly string[] {
  if (maxBytesPerSecond === null) return [];
  const burst = Math.max(Math.ceil(maxBytesPerSecond / 10), MIN_BURST_BYTES);
  const over = `limit rate over ${maxBytesPerSecond} bytes/second burst ${burst} bytes`;
  return [
    `iifname @taps add @sent { iifname ${over} } ${drop("bandwidth")}`,
    `oifname @taps add @received { oifname ${over} } add @bandwidth { oifname counter } drop`,
  ];
}

const forwardRules = (settings: HostNetworkSettings) => ({
  forward: [...bandwidthRules(settings), "iifname @taps jump from_machine", "oifname @taps jump to_machine"],
  ...directionRules(settings),
});

const directionRules = ({ outsideInterface, allowsMail, maxConnections }: HostNetworkSettings) => ({
  from_machine: [
    `oifname ${ANY_TAP} ${drop("to_machines")}`,
    "ct state established,related accept",
    "ct state invalid drop",
    `iifname != @online ${drop("offline")}`,
    "jump services",
    "ip daddr @allowed4 goto limits",
    "ip6 daddr @allowed6 goto limits",
    ...(outsideInterface === null ? [] : [`oifname != "${outsideInterface}" ${drop("to_private")}`]),
    `ip daddr @private4 ${drop("to_private")}`,
    `ip6 daddr @private6 ${drop("to_private")}`,
    // Told at once: a mail server that waits for an answer is a riddle to its owner.
    ...(allowsMail ? [] : [`tcp dport 25 ${drop("mail", "reject with tcp reset")}`]),
    "goto limits",
  ],
  to_machine: [
    "ct state established,related accept",
    "ct state invalid drop",
    `ct state new add @connections_in { oifname ct count over ${maxConnections} } drop`,
    "ct status dnat accept",
    // Addresses of IPv6 are the machine's own: what reaches this host for them is meant for it.
    "oifname . ip6 daddr @sources6 accept",
    "drop",
  ],
});

/** Of the table that guards ARP: nobody claims an address or a card that is not its own. */
export const ARP_RULES: readonly string[] = [
  "iifname != @taps accept",
  "iifname . arp saddr ether != @cards drop",
  // A probe for duplicates has no source yet.
  "arp saddr ip 0.0.0.0 accept",
  "iifname . arp saddr ip != @sources drop",
];
