import { vmNumberOfTap } from "../networking/vm-names.ts";
import { runTool } from "../processes/run-tool.ts";
import type { InventoryEntry } from "./host-parts.ts";
import { jsonList } from "./network-neighbours.ts";
import { tableNameOf } from "./network-rules.ts";
import type { HostNetworkSettings } from "./network-settings.ts";
import { type TableElement, tableElements } from "./network-table.ts";

interface IpLink {
  readonly ifname: string;
  /** The hash of the machine. */
  readonly ifalias: string;
}

/** Devices and rules of this node as the kernel has them, whatever its records say. */
export async function networkInventory(
  settings: HostNetworkSettings,
  missing: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<readonly InventoryEntry[]> {
  if (missing.tap !== undefined) return [];
  const output = await runTool("ip", ["-json", "link", "show"], { signal });
  const taps = jsonList<IpLink>(output).flatMap(({ ifname = "", ifalias = null }): InventoryEntry[] => {
    const vmNumber = vmNumberOfTap(settings.networkId, ifname);
    if (vmNumber === null) return [];
    return [{ kind: "tap", name: ifname, vmHash: ifalias, vmNumber, detail: "network device" }];
  });
  const elements = await tableElements(settings, signal);
  if (elements === null) return taps;
  return [...taps, tableEntry(settings), ...elements.flatMap((element) => ruleEntry(settings, element))];
}

const tableEntry = (settings: HostNetworkSettings): InventoryEntry => ({
  kind: "rule",
  name: `table inet ${tableNameOf(settings)}`,
  vmHash: null,
  vmNumber: null,
  detail: "rules of all machines of this node; with its twin of family arp",
});

/** The set of taps says whose each is; all other sets follow from it. */
function ruleEntry(settings: HostNetworkSettings, { set, value, comment }: TableElement): InventoryEntry[] {
  if (set !== "taps") return [];
  return [
    {
      kind: "rule",
      name: `inet ${tableNameOf(settings)} taps ${value}`,
      vmHash: comment?.split(" ")[1] ?? null,
      vmNumber: vmNumberOfTap(settings.networkId, value),
      detail: "rules of one machine",
    },
  ];
}
