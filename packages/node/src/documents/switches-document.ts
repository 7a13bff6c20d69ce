import {
  PROTOCOL_SWITCHES,
  type ProtocolSwitches,
  type SwitchDefinition,
  type SwitchName,
} from "@twentysix/protocol";

const SWITCHES = Object.entries<SwitchDefinition>(PROTOCOL_SWITCHES) as readonly (readonly [
  SwitchName,
  SwitchDefinition,
])[];

/** The text of docs/protocol-switches.md, made from the table of switches and the shipped networks. */
export function renderSwitchesDocument(
  networks: Readonly<Record<"mainnet" | "local", ProtocolSwitches>>,
): string {
  const rows = SWITCHES.map(([name, { kind, on, off }]) => {
    const positions = [networks.mainnet[name], networks.local[name]].map((isOn) => (isOn ? "on" : "off"));
    return `| ${[`\`${name}\``, kind, on, off, ...positions].join(" | ")} |`;
  });
  return `${[INTRODUCTION, [...HEAD, ...rows].join("\n"), NOTES, ...implied()].join("\n")}\n`;
}

/** The properties of `switches` in networks/networks.schema.json. */
export function switchesSchema(): Readonly<Record<string, object>> {
  return Object.fromEntries(
    SWITCHES.map(([name, { kind, on, off }]) => [
      name,
      { type: "boolean", description: `${kind}. On: ${on}. Off: ${off}.` },
    ]),
  );
}

function implied(): string[] {
  return SWITCHES.flatMap(([name, { implies = [] }]) =>
    implies.length === 0
      ? []
      : [`- \`${name}\` takes along ${implies.map((other) => `\`${other}\``).join(", ")}: ${WHY_IMPLIED}`],
  );
}

const WHY_IMPLIED =
  "while it is on they hold for the state, whatever their own positions say. Otherwise permissions, FORGETs and owners of updates would depend on the order of arrival.";

const INTRODUCTION = `# Protocol switches

<!-- Made from packages/protocol/src/switches/protocol-switches.ts and the shipped networks by \`npm run docs\`. -->

A protocol switch is a behaviour that changes which messages a network accepts, or what they amount to. Two nodes with different positions drift apart for ever, so the positions belong to the [network definition](../networks/) and all nodes of a network share them (\`networkHash\` covers them).

Kinds: **strictness** refuses messages that other implementations accept; **leniency** accepts messages that others refuse; **state** gives messages another effect, and with it changes which of them are accepted.

\`mainnet\` has the positions that the protocol specification calls normative, so that a node can join a network of reference nodes. \`local\` has the better behaviour wherever it needs nothing from outside.
`;

const HEAD = ["| switch | kind | on | off | mainnet | local |", "|---|---|---|---|---|---|"];

const NOTES = `
## Notes

- A switch that is not in a network definition is an error, not a default.
- Each is tested in both positions on a node (\`packages/core-node/test/pipeline/switches\`); a switch without such a test fails the suite.
- Whatever the switches say, revisions of equal \`content.time\` (amends, fields of aggregates, file tags) are decided by the greater item hash, and a submit endpoint refuses a delegate's change of the owner's permissions ([api.md](api.md#submitting)).
- \`creditInstancesWithoutNode\`: the released schemas of the reference (aleph-message 1.2.0 and later) already have it on; the specification writes the older rule down as normative. A network whose reference nodes run such a schema must turn it on.
- \`contractWallets\` needs nodes that can ask the chains: [decision 28](decisions/0028-contract-wallets.md).
- \`strictVProgramScalars\`: the released schemas have it on from 1.4.0.
- \`nulsRealFormat\` is on in both: a network that must agree bit for bit with reference nodes turns it off.`;
