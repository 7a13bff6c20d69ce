import { ARP_RULES, CHAIN_HOOKS, chainRules, DROP_REASONS } from "./network-chains.ts";
import { arpSets, type NamedSet, tableSets } from "./network-elements.ts";
import type { HostNetwork, HostNetworkSettings } from "./network-settings.ts";

type TableNames = Pick<HostNetworkSettings, "tablePrefix" | "networkId">;

export const tableNameOf = ({ tablePrefix, networkId }: TableNames): string => `${tablePrefix}-${networkId}`;

/** One transaction for `nft -f -` that makes the tables of this node anew: they hold what these networks need. */
export function rulesOf(settings: HostNetworkSettings, networks: readonly HostNetwork[]): string {
  const name = tableNameOf(settings);
  const rules = { inet: chainRules(settings), arp: { arp_input: ARP_RULES } };
  return [
    removalOf(settings),
    ...tableOf("inet", name, tableSets(settings, networks), CHAIN_HOOKS, rules.inet),
    ...tableOf("arp", name, arpSets(networks), ARP_HOOKS, rules.arp),
    "",
  ].join("\n");
}

/**
 * One transaction that changes what the sets of the tables hold, from some networks to others. What is counted of
 * machines that stay (connections, dropped packets) stays; of those that go it is forgotten.
 */
export function changesOf(
  settings: HostNetworkSettings,
  before: readonly HostNetwork[],
  after: readonly HostNetwork[],
): string {
  const name = tableNameOf(settings);
  const kept = new Set(after.map(({ tapName }) => tapName));
  const gone = before.filter(({ tapName }) => !kept.has(tapName));
  return [
    ...elementChanges("inet", name, tableSets(settings, before), tableSets(settings, after)),
    ...elementChanges("arp", name, arpSets(before), arpSets(after)),
    ...gone.flatMap(({ tapName }) => forgetCounts(name, tapName)),
    "",
  ].join("\n");
}

/** Transaction that takes both tables away, whether they exist or not. */
export function removalOf(settings: TableNames): string {
  const name = tableNameOf(settings);
  return ["inet", "arp"]
    .flatMap((family) => [`table ${family} ${name} {`, "}", `delete table ${family} ${name}`])
    .join("\n");
}

const ARP_HOOKS = { arp_input: "type filter hook input priority filter; policy accept;" };

function tableOf(
  family: string,
  name: string,
  sets: readonly NamedSet[],
  hooks: Readonly<Record<string, string | null>>,
  rules: Readonly<Record<string, readonly string[]>>,
): string[] {
  const chains = Object.entries(hooks);
  return [
    `table ${family} ${name} {`,
    ...sets.flatMap((set) => [`${set.kind} ${set.name} {`, ...set.type.split("; "), "}"]),
    ...chains.flatMap(([chain, hook]) => [`chain ${chain} {`, ...(hook === null ? [] : [hook]), "}"]),
    "}",
    ...sets.flatMap((set) => elementsLine("add", family, name, set.name, set.elements ?? [])),
    ...chains.flatMap(([chain]) =>
      (rules[chain] ?? []).map((rule) => `add rule ${family} ${name} ${chain} ${rule}`),
    ),
  ];
}

/** All deletions of a set before its additions: a host port may go from one machine to another. */
function elementChanges(
  family: string,
  name: string,
  before: readonly NamedSet[],
  after: readonly NamedSet[],
): string[] {
  return after.flatMap((set, index) => {
    const [old, now] = [new Set(before[index]?.elements ?? []), new Set(set.elements ?? [])];
    const removed = [...old.difference(now)].map((element) => element.replace(/ comment ".*"$/, ""));
    return [
      ...elementsLine("delete", family, name, set.name, removed),
      ...elementsLine("add", family, name, set.name, [...now.difference(old)]),
    ];
  });
}

const elementsLine = (
  verb: "add" | "delete",
  family: string,
  table: string,
  set: string,
  elements: readonly string[],
): string[] =>
  elements.length === 0 ? [] : [`${verb} element ${family} ${table} ${set} { ${elements.join(", ")} }`];

/** Only what exists can be deleted, and so it is added first. */
const forgetCounts = (table: string, tapName: string): string[] =>
  DROP_REASONS.flatMap((set) =>
    ["add", "delete"].map((verb) => `${verb} element inet ${table} ${set} { "${tapName}" }`),
  );
