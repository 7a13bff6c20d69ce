import { forwardsOf } from "./port-forwarding.ts";
import { macAddressOf } from "./vm-names.ts";
import type { VmNetworkRequest, VmNetworks } from "./vm-network.ts";

export interface UserNetworkOptions {
  readonly addressesOf: VmNetworks["addressesOf"];
  /** Address of this host on which forwarded ports listen: `0.0.0.0`. */
  readonly hostAddress: string;
}

/**
 * Networks of QEMU's own, for hosts that give this process no rights. Their forwarded ports are reached; nothing on this
 * host or outside knows their addresses, which are told all the same because anyone can compute them. Where a machine
 * that wants the internet cannot have it without the loopback of this host, the helper starts it without.
 */
export function createUserNetworks({ addressesOf, hostAddress }: UserNetworkOptions): VmNetworks {
  return {
    mode: "user",
    addressesOf,
    create: async (request: VmNetworkRequest) => ({
      addresses: addressesOf(request),
      spec: {
        kind: "user",
        macAddress: macAddressOf(request),
        hasInternet: request.hasInternet,
        forwards: forwardsOf(request.mappedPorts, hostAddress),
      },
      isReachable: false,
    }),
    // What QEMU forwards is of its process: the caller passes changes to it, and they end with it.
    setPorts: async () => undefined,
    remove: async () => undefined,
    recreate: async (requests) => requests.map(({ vmHash }) => vmHash),
    drops: async () => [],
  };
}
