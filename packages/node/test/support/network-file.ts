import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { NetworkDefinition, ProtocolSwitches } from "@twentysix/protocol";

interface Changes {
  readonly limits?: Partial<NetworkDefinition["limits"]>;
  readonly switches?: Partial<ProtocolSwitches>;
  readonly durability?: NetworkDefinition["durability"];
  readonly cutovers?: Partial<NetworkDefinition["cutovers"]>;
  readonly chains?: NetworkDefinition["chains"];
}

let written = 0;

/** Writes the definition of a network that differs from a shipped one; gives its file. */
export function writeNetwork(folder: string, from: "local" | "mainnet", changes: Changes): string {
  const text = readFileSync(new URL(`../../../../networks/${from}.json`, import.meta.url), "utf8");
  const { $schema: _forEditors, ...definition } = JSON.parse(text) as NetworkDefinition & { $schema: string };
  written += 1;
  const file = join(folder, `changed-${from}-${written}.json`);
  const changed = {
    ...definition,
    name: "changed",
    limits: { ...definition.limits, ...changes.limits },
    switches: { ...definition.switches, ...changes.switches },
    cutovers: { ...definition.cutovers, ...changes.cutovers },
    ...(changes.chains === undefined ? {} : { chains: changes.chains }),
    ...(changes.durability === undefined ? {} : { durability: changes.durability }),
  };
  writeFileSync(file, JSON.stringify(changed));
  return file;
}
