import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { runTool } from "../../../src/processes/run-tool.ts";

/** Somebody with a network of his own: a guest, or a machine on one of the host's networks. */
export interface Namespace {
  readonly name: string;
  run(file: string, ...args: readonly string[]): Promise<string>;
  /**
   * Serves until the end of the test: whoever connects is told the name and the address that he came from, and his
   * connection is held that long.
   */
  serve(protocol: "tcp" | "udp", port: number, holdsSeconds?: number): Promise<void>;
  /** Connects, and stays connected until the end of the test: whether the other side answered. */
  stay(address: string, port: number): Promise<boolean>;
  /** What the other side says; null when nothing comes. */
  ask(
    protocol: "tcp" | "udp",
    address: string,
    port: number,
    ...options: readonly string[]
  ): Promise<string | null>;
}

/** The processes of a test, ended in the reverse order of their start. */
export class Processes implements AsyncDisposable {
  readonly #children: ChildProcess[] = [];

  start(file: string, args: readonly string[]): ChildProcess {
    const child = spawn(file, args, { detached: true, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [child.stdout, child.stderr]) stream?.resume();
    this.#children.push(child);
    return child;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children.reverse()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const exited = once(child, "exit");
      // With the ones that it started, in the group of its own that it leads.
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      await exited;
    }
  }
}

const signal = () => AbortSignal.timeout(30_000);
/** How long an answer may take on a busy host; whoever gets none waits as long. */
const ANSWER_SECONDS = 2;

/** A new one, or with `name` null the host itself. */
export async function namespace(processes: Processes, name: string | null): Promise<Namespace> {
  const inside = name === null ? [] : ["ip", "netns", "exec", name];
  if (name !== null) await runTool("ip", ["netns", "add", name], { signal: signal() });
  const run = (file: string, ...args: readonly string[]): Promise<string> => {
    const [first = file, ...rest] = [...inside, file, ...args];
    return runTool(first, rest, { signal: signal() });
  };
  await run("ip", "link", "set", "lo", "up");
  // Its addresses serve at once: nobody else has them.
  await run("sh", "-c", "echo 0 > /proc/sys/net/ipv6/conf/default/accept_dad");
  const shownName = name ?? "host";
  const ask: Namespace["ask"] = async (protocol, address, port, ...options) => {
    const host = address.includes(":") ? `[${address}]` : address;
    const settings = protocol === "tcp" ? [`connect-timeout=${ANSWER_SECONDS}`, ...options] : options;
    const target = [`${protocol.toUpperCase()}:${host}:${port}`, ...settings].join(",");
    // Waits for an answer also after its own side is closed.
    const socat = `socat -t ${ANSWER_SECONDS} -T ${ANSWER_SECONDS}`;
    const answer = await run("sh", "-c", `echo hello | ${socat} - ${target} 2>/dev/null || true`);
    return answer.trim() === "" ? null : answer.trim();
  };
  return {
    name: shownName,
    run,
    ask,
    stay(address, port) {
      const script = `echo hello | socat -t 300 - TCP:${address}:${port},connect-timeout=${2 * ANSWER_SECONDS}`;
      const [first = "", ...rest] = [...inside, "sh", "-c", script];
      const child = processes.start(first, rest);
      return new Promise((resolve) => {
        child.stdout?.once("data", () => resolve(true));
        child.once("exit", () => resolve(false));
      });
    },
    async serve(protocol, port, holdsSeconds = 0) {
      const answer = `SYSTEM:'read line; echo ${shownName} saw $SOCAT_PEERADDR; sleep ${holdsSeconds}'`;
      for (const family of ["4", "6,ipv6only=1"]) {
        const [version, ...options] = family.split(",");
        const listener = `${protocol.toUpperCase()}${version}-LISTEN:${port}`;
        const address = [listener, "fork", "reuseaddr", ...options].join(",");
        const [first = "", ...rest] = [...inside, "socat", "-t", "300", address, answer];
        processes.start(first, rest);
      }
      for (const loopback of ["127.0.0.1", "::1"]) while ((await ask(protocol, loopback, port)) === null);
    },
  };
}

/** A cable between two of them; resolves when both ends have their addresses. */
export async function connect(
  one: Namespace,
  other: Namespace,
  ends: { readonly devices: readonly [string, string]; readonly addresses: readonly [string[], string[]] },
): Promise<void> {
  const [device, otherDevice] = ends.devices;
  await one.run(
    "ip",
    "link",
    "add",
    device,
    "type",
    "veth",
    "peer",
    "name",
    otherDevice,
    "netns",
    other.name,
  );
  for (const [side, name, addresses] of [
    [one, device, ends.addresses[0]],
    [other, otherDevice, ends.addresses[1]],
  ] as const) {
    await side.run("ip", "link", "set", name, "up");
    for (const address of addresses) {
      const nodad = address.includes(":") ? ["nodad"] : [];
      await side.run("ip", "address", "add", address, "dev", name, ...nodad);
    }
  }
}
