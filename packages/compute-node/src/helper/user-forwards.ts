import { forwardText } from "../hypervisor/command-line/device-arguments.ts";
import { HypervisorError } from "../hypervisor/errors.ts";
import type { QmpClient } from "../hypervisor/qmp/qmp-client.ts";
import type { PortForward } from "../hypervisor/vm-spec.ts";
import type { Machine } from "./machine.ts";
import { setSlirpForwards } from "./user-internet/slirp-process.ts";

/**
 * Makes the forwards of a machine on QEMU's own network those that shall be.
 *
 * @throws HypervisorError QMP_FAILED when a port of the host is taken
 */
export async function setForwards(
  machine: Machine,
  forwards: readonly PortForward[],
  signal: AbortSignal,
): Promise<void> {
  const { companion, runDir } = machine.record;
  const qmp = await machine.connect(signal);
  await setQemuForwards(qmp, companion === null ? forwards : insideNamespace(forwards), signal);
  if (companion !== null) await setSlirpForwards(runDir, forwards);
}

/** In a namespace of its own the machine has all ports to itself, and what the host has is forwarded to them. */
export function insideNamespace(forwards: readonly PortForward[]): PortForward[] {
  return forwards.map((forward) => ({ ...forward, hostAddress: "0.0.0.0" }));
}

async function setQemuForwards(
  qmp: QmpClient,
  forwards: readonly PortForward[],
  signal: AbortSignal,
): Promise<void> {
  const monitor = (line: string): Promise<string> =>
    qmp.execute<string>("human-monitor-command", { "command-line": line }, signal);
  const present = parseForwards(await monitor("info usernet"));
  const wanted = new Set(forwards.map(forwardText));
  const standing = new Set(present.map(forwardText));
  for (const forward of present.filter((each) => !wanted.has(forwardText(each)))) {
    const { protocol, hostAddress, hostPort } = forward;
    await monitor(`hostfwd_remove net0 ${protocol}:${hostAddress}:${hostPort}`);
  }
  for (const forward of forwards.filter((each) => !standing.has(forwardText(each)))) {
    const said = await monitor(`hostfwd_add net0 ${forwardText(forward)}`);
    if (said.trim() === "") continue;
    throw new HypervisorError("QMP_FAILED", `port ${forward.hostPort} cannot be forwarded: ${said.trim()}`);
  }
}

/** `  TCP[HOST_FORWARD]  12       127.0.0.1 24000       10.0.2.15    22     0     0` */
export function parseForwards(text: string): PortForward[] {
  const line = /^\s*(TCP|UDP)\[HOST_FORWARD\]\s+\d+\s+(\S+)\s+(\d+)\s+\S+\s+(\d+)/gm;
  return [...text.matchAll(line)].map(([, protocol, address, hostPort, guestPort]) => ({
    protocol: protocol === "TCP" ? "tcp" : "udp",
    hostAddress: address === "*" || address === undefined ? "0.0.0.0" : address,
    hostPort: Number(hostPort),
    guestPort: Number(guestPort),
  }));
}
