import type { JsonObject } from "@twentysix/protocol";
import type { PortForward } from "../hypervisor/vm-spec.ts";
import type { MappedPort, PortMappings, WantedPort } from "./vm-network.ts";

/** Key of the owner's aggregate that says which ports shall be reached. Source: aleph-vm `utils/aggregate.py`. */
export const PORT_FORWARDING_KEY = "port-forwarding";

/** More entries of one machine are ignored: the ports of a host are for all of its machines. */
export const MAX_FORWARDS_OF_VM = 100;

const SSH_PORT: WantedPort = { guestPort: 22, tcp: true, udp: false };

/**
 * The ports that the aggregate asks for, in order, with 22 always: `{"<vm hash>":{"ports":{"80":{"tcp":true}}}}`.
 * Whatever is malformed counts as absent: clients delete an entry by writing null.
 */
export function wantedPorts(aggregate: unknown, vmHash: string): readonly WantedPort[] {
  const ports = member(member(aggregate, vmHash), "ports");
  const wanted = new Map<number, WantedPort>([[SSH_PORT.guestPort, SSH_PORT]]);
  if (isRecord(ports)) {
    for (const [key, value] of Object.entries(ports)) {
      const port = wantedPort(key, value);
      if (port !== null) wanted.set(port.guestPort, port);
      if (wanted.size >= MAX_FORWARDS_OF_VM) break;
    }
  }
  return [...wanted.values()].sort((one, other) => one.guestPort - other.guestPort);
}

function wantedPort(key: string, value: unknown): WantedPort | null {
  const guestPort = /^[1-9]\d{0,4}$/.test(key) ? Number(key) : 0;
  if (guestPort < 1 || guestPort > 65_535 || !isRecord(value)) return null;
  const tcp = value.tcp === true || guestPort === SSH_PORT.guestPort;
  const udp = value.udp === true;
  return tcp || udp ? { guestPort, tcp, udp } : null;
}

/**
 * The ports wanted now; where no core node can be asked, those of last time, so that a failed request closes nothing.
 * `failure` is why they could not be asked, null otherwise.
 */
export async function currentlyWantedPorts(
  vmHash: string,
  mappings: Pick<PortMappings, "of">,
  fetchAggregate: () => Promise<JsonObject | null>,
): Promise<{ readonly wanted: readonly WantedPort[]; readonly failure: unknown }> {
  try {
    return { wanted: wantedPorts(await fetchAggregate(), vmHash), failure: null };
  } catch (failure) {
    const known = mappings.of(vmHash);
    return { wanted: known.length > 0 ? known : [SSH_PORT], failure };
  }
}

/** What a machine on a user network is started with. */
export function forwardsOf(ports: readonly MappedPort[], hostAddress: string): readonly PortForward[] {
  return ports.flatMap(({ guestPort, hostPort, tcp, udp }) => [
    ...(tcp ? [{ protocol: "tcp" as const, hostAddress, hostPort, guestPort }] : []),
    ...(udp ? [{ protocol: "udp" as const, hostAddress, hostPort, guestPort }] : []),
  ]);
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** An own member of an object; `__proto__` and its like are none. */
const member = (value: unknown, key: string): unknown =>
  isRecord(value) && Object.hasOwn(value, key) ? value[key] : undefined;
