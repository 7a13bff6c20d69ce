import { existsSync } from "node:fs";
import { join } from "node:path";
import { raceAbort, type Timers } from "@twentysix/platform";
import { HypervisorError } from "../../hypervisor/errors.ts";
import { connectUnix } from "../../hypervisor/qmp/connect-unix.ts";
import type { PortForward } from "../../hypervisor/vm-spec.ts";
import { type GatedProcess, pipeOf, spawnGated } from "../gated-process.ts";
import { asUser } from "../spawn-machine.ts";
import { NAMESPACE_NETWORK, NAMESPACE_READY } from "./namespace-files.ts";

const POLL_MS = 5;
const API_SOCKET = "slirp.sock";
const MAX_ANSWER_BYTES = 1_048_576;
const ANSWER_TIMEOUT_MS = 5_000;
/** The pipe on which slirp4netns says that the device is there. */
const READY_PIPE = 3;

/**
 * A process that waits to connect a machine's namespace to the internet, without the loopback of the host. It runs as
 * the machine's user and is locked in like the machine.
 */
export async function spawnSlirp(
  machine: GatedProcess,
  { runDir, userId, log }: { readonly runDir: string; readonly userId: number | null; readonly log: number },
): Promise<GatedProcess> {
  const command = [
    ...asUser(userId, []),
    "slirp4netns",
    ...["--configure", "--mtu=65520", `--cidr=${NAMESPACE_NETWORK.cidr}`, "--disable-host-loopback"],
    ...["--enable-sandbox", "--enable-seccomp", `--api-socket=${API_SOCKET}`, `--ready-fd=${READY_PIPE}`],
    ...[String(machine.identity.pid), "tap0"],
  ];
  return await spawnGated({ command, cwd: runDir, log, handles: ["pipe"], listens: false });
}

/** Resolves when the script of the namespace has its rules in force. @throws HypervisorError START_FAILED */
export async function namespaceReady(
  machine: GatedProcess,
  runDir: string,
  timers: Timers,
  signal: AbortSignal,
): Promise<void> {
  while (!existsSync(join(runDir, NAMESPACE_READY))) {
    if (machine.child.exitCode !== null || machine.child.signalCode !== null) {
      throw new HypervisorError("START_FAILED", "its network namespace could not be made");
    }
    await timers.sleep(POLL_MS, signal);
  }
}

/** Resolves when the namespace has its device. @throws HypervisorError START_FAILED */
export async function slirpReady(slirp: GatedProcess, signal: AbortSignal): Promise<void> {
  const pipe = pipeOf(slirp, READY_PIPE);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  pipe.once("data", () => resolve());
  pipe.once("close", () => reject(new HypervisorError("START_FAILED", "slirp4netns ended at once")));
  try {
    await raceAbort(promise, signal);
  } finally {
    pipe.destroy();
  }
}

interface SlirpForward {
  readonly id: number;
  readonly proto: string;
  readonly host_addr: string;
  readonly host_port: number;
}

/** Makes the forwards from the host into the namespace those that shall be; inside, QEMU has the same ports. */
export async function setSlirpForwards(runDir: string, forwards: readonly PortForward[]): Promise<void> {
  const path = join(runDir, API_SOCKET);
  const { entries } = (await ask(path, "list_hostfwd", {})) as { readonly entries: readonly SlirpForward[] };
  const key = (proto: string, address: string, port: number): string => `${proto}:${address}:${port}`;
  const wanted = new Set(forwards.map((each) => key(each.protocol, each.hostAddress, each.hostPort)));
  const present = new Set(entries.map((each) => key(each.proto, each.host_addr, each.host_port)));
  for (const entry of entries) {
    if (wanted.has(key(entry.proto, entry.host_addr, entry.host_port))) continue;
    await ask(path, "remove_hostfwd", { id: entry.id });
  }
  for (const { protocol, hostAddress, hostPort } of forwards) {
    if (present.has(key(protocol, hostAddress, hostPort))) continue;
    const guest = { guest_addr: NAMESPACE_NETWORK.address, guest_port: hostPort };
    await ask(path, "add_hostfwd", {
      proto: protocol,
      host_addr: hostAddress,
      host_port: hostPort,
      ...guest,
    });
  }
}

/** One request of the API of slirp4netns: a JSON text each way, and the connection ends. */
async function ask(path: string, execute: string, parameters: object): Promise<unknown> {
  const socket = await connectUnix(path);
  socket.setTimeout(ANSWER_TIMEOUT_MS, () => socket.destroy(new Error("slirp4netns does not answer")));
  socket.end(JSON.stringify({ execute, arguments: parameters }));
  let text = "";
  for await (const chunk of socket.setEncoding("utf8")) {
    text += chunk;
    if (text.length > MAX_ANSWER_BYTES) throw new Error("slirp4netns answers too much");
  }
  const answer = JSON.parse(text) as {
    readonly return?: unknown;
    readonly error?: { readonly desc?: string };
  };
  // Some answers are under `return`, a list is not.
  if (answer.error === undefined) return answer.return ?? answer;
  throw new HypervisorError(
    "QMP_FAILED",
    `a port cannot be forwarded: ${answer.error.desc ?? "no reason given"}`,
  );
}
