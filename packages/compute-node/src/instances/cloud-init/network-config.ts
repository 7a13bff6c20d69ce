import type { VmNetwork } from "../../networking/vm-network.ts";

/** Where QEMU's own network puts its guest, and what it answers at. Source: QEMU `docs/system/devices/net.rst`. */
const USER_NETWORK = {
  addresses: ["10.0.2.15/24"],
  routes: [{ to: "0.0.0.0/0", via: "10.0.2.2" }],
  nameservers: { addresses: ["10.0.2.3"] },
};

/**
 * Network configuration of cloud-init, version 2, with fixed addresses: no key says anything of DHCP, whose mere
 * presence some guests cannot read.
 */
export function networkConfig(network: VmNetwork, dnsServers: readonly string[]): string {
  const { spec, addresses } = network;
  const device = spec.kind === "user" ? USER_NETWORK : deviceOf(addresses, dnsServers);
  const ethernets = { eth0: { match: { driver: "virtio_net" }, "set-name": "eth0", ...device } };
  return `${JSON.stringify(spec.kind === "none" ? { version: 2 } : { version: 2, ethernets }, null, 2)}\n`;
}

function deviceOf(addresses: VmNetwork["addresses"], dnsServers: readonly string[]) {
  const { ipv4Network, guestIpv4, hostIpv4, ipv6Network, guestIpv6, hostIpv6 } = addresses;
  return {
    addresses: [`${guestIpv4}/${prefixOf(ipv4Network)}`, `${guestIpv6}/${prefixOf(ipv6Network)}`],
    routes: [
      { to: "0.0.0.0/0", via: hostIpv4 },
      { to: "::/0", via: hostIpv6, "on-link": true },
    ],
    nameservers: { addresses: dnsServers },
  };
}

const prefixOf = (network: string): string => network.slice(network.indexOf("/") + 1);
