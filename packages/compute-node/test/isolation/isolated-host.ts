import { fileURLToPath } from "node:url";
import type { RunningVm } from "../../src/hypervisor/hypervisor.ts";
import type { VmSpec } from "../../src/hypervisor/vm-spec.ts";
import { checkAddressPools, DEFAULT_ADDRESS_POOLS } from "../../src/networking/network-settings.ts";
import { createTapNetworks } from "../../src/networking/tap-networks.ts";
import { staticIpv6NetworkOf, vmAddresses } from "../../src/networking/vm-addresses.ts";
import type { MappedPort, VmKind, VmNetwork, VmNetworks } from "../../src/networking/vm-network.ts";
import { Guest } from "../hypervisor/support/guest.ts";
import { createTestHost, type TestHost } from "../hypervisor/support/test-host.ts";
import { hashOf } from "../networking/support/host-world.ts";

/** A real machine under QEMU, on a device of its own. */
export interface Machine {
  readonly vm: RunningVm;
  readonly guest: Guest;
  readonly network: VmNetwork;
}

export interface IsolatedHost extends AsyncDisposable {
  readonly test: TestHost;
  readonly networks: VmNetworks;
  /** Boots a guest, and gives it the addresses that it shall have. */
  boot(
    vmNumber: number,
    ports?: readonly MappedPort[],
    changes?: Partial<VmSpec>,
    kind?: VmKind,
  ): Promise<Machine>;
}

const TIME = 120_000;
const ENTRY = fileURLToPath(new URL("./helper-entry.ts", import.meta.url));
const pools = checkAddressPools({ ...DEFAULT_ADDRESS_POOLS, ipv6Pool: "2001:db8:1:2::/64" });
const signal = () => AbortSignal.timeout(TIME);

/** A host whose helper is the real one, with networks and limits. */
export async function createIsolatedHost(): Promise<IsolatedHost> {
  const test = await createTestHost(ENTRY);
  const networks = createTapNetworks(test.hypervisor.helper, ({ vmNumber, vmHash, kind }) =>
    vmAddresses(pools, vmNumber, staticIpv6NetworkOf(pools, vmHash, kind)),
  );
  return {
    test,
    networks,
    async boot(vmNumber, mappedPorts = [], changes = {}, kind = "instance") {
      const vmHash = hashOf(vmNumber);
      const request = { vmHash, vmNumber, kind, hasInternet: true, mappedPorts } as const;
      const network = await networks.create(request, signal());
      const vm = await test.hypervisor.start(
        test.spec(vmNumber, { vmHash, network: network.spec, ...changes }),
        signal(),
      );
      const guest = await Guest.connect(vm);
      // What continues has said so long ago.
      if (changes.snapshot === undefined) await guest.booted();
      await configure(guest, network);
      return { vm, guest, network };
    },
    [Symbol.asyncDispose]: () => test[Symbol.asyncDispose](),
  };
}

async function configure(guest: Guest, { addresses }: VmNetwork): Promise<void> {
  const { guestIpv4, hostIpv4, guestIpv6, hostIpv6 } = addresses;
  const commands = [
    "ip addr flush dev eth0",
    "echo 0 > /proc/sys/net/ipv6/conf/eth0/accept_dad",
    `ip addr add ${guestIpv4}/24 dev eth0`,
    `ip -6 addr add ${guestIpv6}/124 dev eth0`,
    `ip route add default via ${hostIpv4}`,
    `ip -6 route add default via ${hostIpv6}`,
  ];
  await guest.run(commands.join("; "));
}

/** What a service says to the guest; null when nothing answers. */
export async function ask(guest: Guest, address: string, port: number): Promise<string | null> {
  const answer = await guest.run(`echo hello | nc -w 2 ${address} ${port} 2>/dev/null`);
  return answer.trim() === "" ? null : answer.trim();
}
