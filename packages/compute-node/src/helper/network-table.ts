import { runTool, ToolError } from "../processes/run-tool.ts";
import { tableNameOf } from "./network-rules.ts";
import type { HostNetworkSettings } from "./network-settings.ts";

/** An element of a set of the table, as the kernel has it. */
export interface TableElement {
  readonly set: string;
  readonly value: string;
  readonly comment: string | null;
  readonly packets: number;
  readonly bytes: number;
}

/** All elements of one key of the table of this node; null where the table does not exist. */
export async function tableElements(
  settings: HostNetworkSettings,
  signal: AbortSignal,
): Promise<readonly TableElement[] | null> {
  const output = await listing(settings, signal);
  if (output === null) return null;
  const { nftables } = JSON.parse(output) as { readonly nftables: readonly { readonly set?: NftSet }[] };
  return nftables.flatMap(({ set }) => (set?.elem ?? []).flatMap((element) => elementOf(set?.name, element)));
}

interface NftSet {
  readonly name: string;
  readonly elem?: readonly unknown[];
}

async function listing(settings: HostNetworkSettings, signal: AbortSignal): Promise<string | null> {
  const args = ["-j", "list", "table", "inet", tableNameOf(settings)];
  try {
    return await runTool("nft", args, { signal });
  } catch (error) {
    if (error instanceof ToolError && error.message.includes("No such file or directory")) return null;
    throw error;
  }
}

/** A plain text where it has neither comment nor counter. */
function elementOf(set: string | undefined, element: unknown): TableElement[] {
  if (set === undefined) return [];
  if (typeof element === "string") return [{ set, value: element, comment: null, packets: 0, bytes: 0 }];
  const { elem } = (element ?? {}) as { readonly elem?: NftElement };
  if (typeof elem?.val !== "string") return [];
  const { packets = 0, bytes = 0 } = elem.counter ?? {};
  return [{ set, value: elem.val, comment: elem.comment ?? null, packets, bytes }];
}

interface NftElement {
  readonly val?: unknown;
  readonly comment?: string;
  readonly counter?: { readonly packets: number; readonly bytes: number };
}
