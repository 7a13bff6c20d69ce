import type { DatabaseSync } from "node:sqlite";
import type { Clock } from "@twentysix/platform";
import type { NetworkSettings } from "../compute-settings.ts";
import type { HelperHypervisor } from "../hypervisor/helper-hypervisor.ts";
import { checkAddressPools, DEFAULT_ADDRESS_POOLS } from "../networking/network-settings.ts";
import { createPortMappings } from "../networking/port-mappings.ts";
import { createTapNetworks } from "../networking/tap-networks.ts";
import { createUserNetworks } from "../networking/user-networks.ts";
import { createVmAddressBook } from "../networking/vm-address-book.ts";
import type { PortMappings, VmNetworks } from "../networking/vm-network.ts";

export interface NetworkParts {
  readonly networks: VmNetworks;
  readonly ports: PortMappings;
}

/**
 * Devices and rules of the host where its helper may make them, networks of QEMU elsewhere.
 *
 * @throws NetworkingError NETWORK_SETTING_INVALID
 */
export function openNetworks(
  settings: NetworkSettings,
  options: {
    readonly hypervisor: HelperHypervisor;
    readonly database: DatabaseSync;
    readonly forwardHost: string;
    readonly clock: Clock;
  },
): NetworkParts {
  const { hypervisor, database, forwardHost, clock } = options;
  const pools = checkAddressPools({
    ...DEFAULT_ADDRESS_POOLS,
    ipv4Pool: settings.ipv4Pool,
    ipv6Pool: settings.ipv6Pool,
    ipv6Policy: settings.ipv6Policy,
    ipv6PrefixLength: settings.ipv6SubnetPrefix,
  });
  const addressesOf = createVmAddressBook(pools, database);
  const hasTaps = hypervisor.capabilities().missing.tap === undefined;
  const { firstHostPort, lastHostPort } = settings;
  return {
    networks: hasTaps
      ? createTapNetworks(hypervisor.helper, addressesOf)
      : createUserNetworks({ addressesOf, hostAddress: forwardHost }),
    ports: createPortMappings({ database, clock, firstHostPort, lastHostPort }),
  };
}
