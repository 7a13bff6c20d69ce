import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { VmAddresses } from "../../../src/networking/vm-network.ts";
import { type Namespace, namespace, type Processes } from "./namespace.ts";

export interface GuestCable {
  readonly tapName: string;
  readonly macAddress: string;
  readonly addresses: VmAddresses;
  /** Where the sockets of the cable are. */
  readonly folder: string;
}

/**
 * A guest on the other side of a tap: what QEMU does for a virtual machine, two programs do here for a namespace. It is
 * root inside, and may send what it likes.
 */
export async function plugIn(processes: Processes, name: string, cable: GuestCable): Promise<Namespace> {
  const { tapName, macAddress, addresses, folder } = cable;
  const guest = await namespace(processes, name);
  const [guestSocket, hostSocket] = [join(folder, `${name}.guest`), join(folder, `${name}.host`)];
  const tap = (device: string) => `TUN,tun-name=${device},tun-type=tap,iff-no-pi`;
  // The guest's side first: what the host sends as soon as its device has a carrier needs somebody to send it to.
  processes.start("ip", [
    ...["netns", "exec", name, "socat"],
    ...[tap("eth0"), `UNIX-SENDTO:${hostSocket},bind=${guestSocket}`],
  ]);
  await exists(guestSocket);
  processes.start("socat", [tap(tapName), `UNIX-SENDTO:${guestSocket},bind=${hostSocket}`]);
  await exists(hostSocket);
  await guest.run("ip", "link", "set", "eth0", "address", macAddress, "up");
  const prefixOf = (network: string) => network.slice(network.indexOf("/"));
  await guest.run(
    "ip",
    "address",
    "add",
    addresses.guestIpv4 + prefixOf(addresses.ipv4Network),
    "dev",
    "eth0",
  );
  await guest.run(
    "ip",
    "address",
    "add",
    addresses.guestIpv6 + prefixOf(addresses.ipv6Network),
    "dev",
    "eth0",
    "nodad",
  );
  await guest.run("ip", "route", "add", "default", "via", addresses.hostIpv4);
  await guest.run("ip", "-6", "route", "add", "default", "via", addresses.hostIpv6);
  return guest;
}

async function exists(path: string): Promise<void> {
  while (!existsSync(path)) await sleep(10);
}
