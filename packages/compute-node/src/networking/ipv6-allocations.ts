import type { DatabaseSync } from "node:sqlite";
import { NetworkingError } from "./errors.ts";
import { formatIpNetwork, type IpNetwork, parseIpNetwork, subnetAt } from "./ip-network.ts";
import type { AddressPools } from "./network-settings.ts";

const SCHEMA = `
CREATE TABLE IF NOT EXISTS ipv6_allocations (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  vm_hash TEXT NOT NULL UNIQUE,
  network TEXT NOT NULL UNIQUE
);
`;

/**
 * The dynamic policy: one network of the pool after the other, the first left out, none given twice. A machine keeps
 * its network as long as the node's database lives.
 */
export function createIpv6Allocations(
  database: DatabaseSync,
  pools: AddressPools,
): (vmHash: string) => IpNetwork {
  database.exec(SCHEMA);
  const known = database.prepare("SELECT network FROM ipv6_allocations WHERE vm_hash = ?");
  const last = database.prepare("SELECT max(number) AS number FROM ipv6_allocations");
  const insert = database.prepare("INSERT INTO ipv6_allocations (number, vm_hash, network) VALUES (?, ?, ?)");
  return (vmHash) => {
    const row = known.get(vmHash) as { network: string } | undefined;
    const network = row === undefined ? null : parseIpNetwork(row.network);
    if (network !== null) return network;
    const { number } = last.get() as { number: number | null };
    const next = (number ?? 0) + 1;
    const allocated = subnetAt(pools.ipv6, pools.ipv6PrefixLength, BigInt(next));
    if (allocated === null) {
      throw new NetworkingError(
        "NETWORK_POOL_EXHAUSTED",
        `all networks of ${formatIpNetwork(pools.ipv6)} have been given away: give the node a larger IPv6 pool`,
      );
    }
    insert.run(next, vmHash, formatIpNetwork(allocated));
    return allocated;
  };
}
