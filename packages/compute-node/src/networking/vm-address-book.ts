import type { DatabaseSync } from "node:sqlite";
import { createIpv6Allocations } from "./ipv6-allocations.ts";
import type { AddressPools } from "./network-settings.ts";
import { staticIpv6NetworkOf, vmAddresses } from "./vm-addresses.ts";
import type { VmNetworks } from "./vm-network.ts";

/** Where the addresses of machines come from: the formula, or what the database says with the dynamic policy. */
export function createVmAddressBook(pools: AddressPools, database: DatabaseSync): VmNetworks["addressesOf"] {
  if (pools.ipv6Policy === "dynamic") {
    const allocate = createIpv6Allocations(database, pools);
    return ({ vmNumber, vmHash }) => vmAddresses(pools, vmNumber, allocate(vmHash));
  }
  return ({ vmNumber, vmHash, kind }) =>
    vmAddresses(pools, vmNumber, staticIpv6NetworkOf(pools, vmHash, kind));
}
