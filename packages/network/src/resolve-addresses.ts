import { lookup } from "node:dns/promises";
import { multiaddr } from "@multiformats/multiaddr";

const FAMILIES: Readonly<Record<string, 0 | 4 | 6>> = { dns: 0, dns4: 4, dns6: 6 };

/**
 * Multiaddresses with the IP addresses of hosts in place of their names, so that what is checked is what is called.
 * Names that lead nowhere are left out.
 */
export async function resolveAddresses(addresses: readonly string[]): Promise<readonly string[]> {
  const resolved = await Promise.all(addresses.map((address) => resolveAddress(address)));
  return resolved.flatMap((found) => found ?? []);
}

/** The same of one; null: its host has a name that does not exist. */
export async function resolveAddress(text: string): Promise<readonly string[] | null> {
  const [host, ...rest] = multiaddr(text).getComponents();
  const family = host === undefined ? undefined : FAMILIES[host.name];
  if (host?.value === undefined || family === undefined) return [text];
  const tail = rest
    .map(({ name, value }) => (value === undefined ? `/${name}` : `/${name}/${value}`))
    .join("");
  const found = await lookup(host.value, { all: true, family }).catch((error: unknown) => {
    // A server of names that does not answer says nothing of the name: as good as no address for now.
    return error instanceof Error && "code" in error && error.code === "ENOTFOUND" ? null : [];
  });
  if (found === null) return null;
  return found.map(({ address, family: of }) => `/ip${of}/${address}${tail}`);
}
