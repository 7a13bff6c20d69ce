import type { StartedNode } from "./processes.ts";

/** What the API of a node says, for suites and experiments about its peers. */

async function json<T>(node: StartedNode, path: string): Promise<T> {
  return (await (await fetch(`${node.apiUrl}${path}`)).json()) as T;
}

export const stateRoot = (node: StartedNode): Promise<{ readonly root: string; readonly count: number }> =>
  json(node, "/api/v1/state-root");

interface PublicInfo {
  readonly node_multi_addresses: readonly string[];
  readonly sync: { readonly state: string; readonly percent: number | null };
}

/** Where it is reached on this machine. */
export async function peerAddress(node: StartedNode): Promise<string> {
  const { node_multi_addresses: addresses } = await json<PublicInfo>(node, "/api/v0/info/public.json");
  const local = addresses.find((address) => address.startsWith("/ip4/127.0.0.1/"));
  if (local === undefined) throw new Error(`The node listens on ${addresses.join()} alone`);
  return local;
}

export const syncOf = async (node: StartedNode): Promise<PublicInfo["sync"]> =>
  (await json<PublicInfo>(node, "/api/v0/info/public.json")).sync;

export async function metric(node: StartedNode, name: string): Promise<number> {
  const text = await (await fetch(`${node.apiUrl}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1] ?? Number.NaN);
}

export const messageCount = (node: StartedNode): Promise<number> =>
  metric(node, "pyaleph_status_sync_messages_total");

export async function until(isTrue: () => Promise<boolean>, everyMs: number): Promise<void> {
  while (!(await isTrue())) await new Promise((resolve) => setTimeout(resolve, everyMs));
}
