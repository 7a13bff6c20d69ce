import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createMemoryLogger, createSystemTimers } from "@twentysix/platform";
import type { HostPart } from "../../../src/helper/host-parts.ts";
import { machineUsers } from "../../../src/helper/machine-user.ts";
import { createNetworkPart } from "../../../src/helper/network-part.ts";
import type { HostNetworkSettings } from "../../../src/helper/network-settings.ts";
import { checkAddressPools, DEFAULT_ADDRESS_POOLS } from "../../../src/networking/network-settings.ts";
import { createTapNetworks } from "../../../src/networking/tap-networks.ts";
import { staticIpv6NetworkOf, vmAddresses } from "../../../src/networking/vm-addresses.ts";
import { networkIdOf } from "../../../src/networking/vm-names.ts";
import type { MappedPort, VmNetwork, VmNetworks } from "../../../src/networking/vm-network.ts";
import { type GuestCable, plugIn } from "./fake-guest.ts";
import { hostSurroundings } from "./host-surroundings.ts";
import type { Namespace } from "./namespace.ts";

export const signal = () => AbortSignal.timeout(30_000);
const pools = checkAddressPools({ ...DEFAULT_ADDRESS_POOLS, ipv6Pool: "2001:db8:1:2::/64" });

export interface World extends AsyncDisposable {
  readonly part: HostPart;
  readonly networks: VmNetworks;
  readonly host: Namespace;
  readonly outside: Namespace;
  readonly lan: Namespace;
  /** Makes the network of a machine, and puts a guest on it. */
  guest(vmNumber: number, ports?: readonly MappedPort[], hasInternet?: boolean): Promise<Guest>;
  readonly settings: HostNetworkSettings;
  /** Puts a guest on a device that is there. */
  plugIn(name: string, cable: Omit<GuestCable, "folder">): Promise<Namespace>;
  /** The helper dies, and another one starts. */
  restart(): Promise<void>;
}

export type Guest = Namespace & { readonly network: VmNetwork };

export const hashOf = (vmNumber: number): string => vmNumber.toString(16).padStart(2, "0").repeat(32);

/** A host with a way to the outside and a network of its own beside it. */
export async function world(changes: Partial<HostNetworkSettings> = {}): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), "host-network-"));
  const { host, outside, lan, processes, ...around } = await hostSurroundings();
  const settings: HostNetworkSettings = {
    machineUsers: machineUsers(0),
    networkId: networkIdOf(folder),
    stateFile: join(folder, "networks.json"),
    pools,
    outsideInterface: null,
    tablePrefix: "aleph",
    allowedNetworks: [],
    nameServers: ["192.168.77.5"],
    allowsMail: false,
    maxConnections: 4_096,
    maxNewConnectionsPerSecond: 500,
    maxBytesPerSecond: null,
    ...changes,
  };
  const closing = new AbortController();
  const surroundings = { timers: createSystemTimers(), log: createMemoryLogger() };
  const createPart = () => createNetworkPart(settings, surroundings, closing.signal);
  let part = await createPart();
  const networks = createTapNetworks(
    {
      async call<Result>(verb: string, parameters: object, callSignal: AbortSignal) {
        const handler = part.verbs[verb];
        assert.ok(handler, verb);
        return (await handler(JSON.parse(JSON.stringify(parameters)), callSignal)) as Result;
      },
    },
    ({ vmNumber, vmHash, kind }) => vmAddresses(pools, vmNumber, staticIpv6NetworkOf(pools, vmHash, kind)),
  );
  return {
    get part() {
      return part;
    },
    networks,
    settings,
    plugIn: (name, cable) => plugIn(processes, name, { ...cable, folder }),
    host,
    outside,
    lan,
    async guest(vmNumber, mappedPorts = [], hasInternet = true) {
      const request = {
        vmHash: hashOf(vmNumber),
        vmNumber,
        kind: "instance",
        hasInternet,
        mappedPorts,
      } as const;
      const network = await networks.create(request, signal());
      assert.equal(network.spec.kind, "tap");
      if (network.spec.kind !== "tap") throw new Error("unreachable");
      const cable = { ...network.spec, addresses: network.addresses, folder };
      return { ...(await plugIn(processes, `guest${vmNumber}`, cable)), network };
    },
    async restart() {
      part = await createPart();
    },
    async [Symbol.asyncDispose]() {
      closing.abort();
      await networks.recreate([], signal());
      await around[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    },
  };
}

export const dropsOf = async ({ networks }: World, vmNumber: number): Promise<Record<string, number>> => {
  const drops = await networks.drops(signal());
  const own = drops.filter((drop) => drop.vmNumber === vmNumber && drop.packets > 0);
  return Object.fromEntries(own.map(({ reason, packets }) => [reason, packets]));
};

export async function nobodyAnswers(
  from: Namespace,
  targets: readonly (readonly ["tcp" | "udp", string, number, ...string[]])[],
): Promise<void> {
  const answers = await Promise.all(targets.map((target) => from.ask(...target)));
  assert.deepEqual(
    targets.filter((_, index) => answers[index] !== null),
    [],
  );
}
