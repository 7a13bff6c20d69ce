import { writeFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { PRIVATE_IPV4 } from "../network-private-ranges.ts";

/** Network of a namespace, between QEMU's own network (10.0.2.0/24) and the host. */
export const NAMESPACE_NETWORK = {
  cidr: "10.0.3.0/24",
  address: "10.0.3.100",
  nameServer: "10.0.3.3",
} as const;

/** What the operator grants machines beyond the internet. */
export interface UserInternetSettings {
  readonly allowedNetworks: readonly string[];
  readonly allowsMail: boolean;
}

export const NAMESPACE_SCRIPT = "namespace.sh";
/** Made by the script when its rules are in force. */
export const NAMESPACE_READY = "work/namespace";

/**
 * Runs as root of its own user and network namespace, which has no device yet: puts the rules in place, waits for the
 * device, and becomes QEMU without any right there.
 */
const SCRIPT = `set -e
mount --bind resolv.conf /etc/resolv.conf
nft -f rules.nft
: > ${NAMESPACE_READY}
read -r word
[ "$word" = net ]
exec setpriv --no-new-privs --inh-caps=-all --bounding-set=-all "$@" </dev/null
`;

/** Files of a machine's network namespace, which its process finds in its working directory. */
export function writeNamespaceFiles(runDir: string, settings: UserInternetSettings): void {
  const write = (name: string, text: string): void =>
    writeFileSync(join(runDir, name), text, { mode: 0o644 });
  write("resolv.conf", `nameserver ${NAMESPACE_NETWORK.nameServer}\n`);
  write("rules.nft", namespaceRules(settings, ownAddresses()));
  write(NAMESPACE_SCRIPT, SCRIPT);
}

/** Like machines with a network of their own: the internet, and nothing of this host or beside it. */
export function namespaceRules(
  { allowedNetworks, allowsMail }: UserInternetSettings,
  hostAddresses: readonly string[],
): string {
  const lines = [
    "ct state established,related accept",
    `ip daddr ${NAMESPACE_NETWORK.nameServer} meta l4proto { tcp, udp } th dport 53 accept`,
    ...allowedNetworks
      .filter((network) => !network.includes(":"))
      .map((network) => `ip daddr ${network} accept`),
    // One after the other: a set refuses what overlaps.
    ...[...hostAddresses, ...PRIVATE_IPV4].map((network) => `ip daddr ${network} drop`),
    ...(allowsMail ? [] : ["tcp dport 25 reject with tcp reset"]),
    "meta nfproto ipv6 drop",
  ];
  const chain = ["type filter hook output priority filter; policy accept;", ...lines];
  return `table inet machine {\n  chain out {\n${chain.map((line) => `    ${line}\n`).join("")}  }\n}\n`;
}

function ownAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.filter(({ family }) => family === "IPv4").map(({ address }) => address);
}
