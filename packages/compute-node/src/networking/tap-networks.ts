import type { HelperCalls } from "../helper/host-parts.ts";
import { macAddressOf } from "./vm-names.ts";
import type { NetworkDrops, VmNetworkRequest, VmNetworks } from "./vm-network.ts";

/** Networks of devices and rules of this host, which its helper makes. */
export function createTapNetworks(helper: HelperCalls, addressesOf: VmNetworks["addressesOf"]): VmNetworks {
  const description = (request: VmNetworkRequest) => ({
    vmHash: request.vmHash,
    vmNumber: request.vmNumber,
    macAddress: macAddressOf(request),
    addresses: addressesOf(request),
    hasInternet: request.hasInternet,
    ports: request.mappedPorts,
  });
  return {
    mode: "tap",
    addressesOf,
    async create(request, signal) {
      const network = description(request);
      const { tapName } = await helper.call<{ tapName: string }>("createNetwork", network, signal);
      const { addresses, macAddress } = network;
      return { addresses, spec: { kind: "tap", tapName, macAddress }, isReachable: true };
    },
    async setPorts({ vmNumber, vmHash, mappedPorts }, signal) {
      await helper.call("setPorts", { vmNumber, vmHash, ports: mappedPorts }, signal);
    },
    async remove(vmNumber, signal) {
      await helper.call("removeNetwork", { vmNumber }, signal);
    },
    recreate: (requests, signal) =>
      helper.call<string[]>("recreateNetworks", { networks: requests.map(description) }, signal),
    drops: (signal) => helper.call<NetworkDrops[]>("networkDrops", {}, signal),
  };
}
