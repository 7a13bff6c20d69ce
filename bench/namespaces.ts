import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/*
 * Machines of an experiment, each a network namespace with a cable of its own (veth) into a switch (bridge). All of it
 * stands in namespaces of the experiment's process, so that nothing is left on the machine however it ends, and no
 * other right is needed than to make namespaces.
 */

/** Network, mounts (for /run/netns) and processes: with the first of these, all nodes end. */
const OWN_WORLD = [
  "--net",
  "--mount",
  "--propagation",
  "private",
  "--pid",
  "--fork",
  "--kill-child",
  "--mount-proc",
];
const IS_INSIDE = "TWENTYSIX_BENCH_INSIDE";
const PREPARE = "mount -t tmpfs none /run && ip link set lo up";
const PROBE = `${PREPARE} && ip netns add probe && ip link add probe type bridge && ip link add veth0 type veth peer name veth1 netns probe`;

/** As root of the machine, or as one who may be root of what he makes. */
const worldFlags = (): readonly string[] =>
  process.getuid?.() === 0 ? OWN_WORLD : ["--map-root-user", ...OWN_WORLD];

/** Why this machine has no network namespaces for us; null when it has. */
export function namespacesMissing(): string | null {
  if (process.platform !== "linux")
    return `network namespaces are a matter of Linux, this is ${process.platform}`;
  const { status, error, stderr } = spawnSync("unshare", [...worldFlags(), "sh", "-ec", PROBE], {
    encoding: "utf8",
    timeout: 10_000,
  });
  if (status === 0) return null;
  return `this machine lets nobody make network namespaces here: ${error?.message ?? stderr.trim()}`;
}

/**
 * Runs the script of this process once more in namespaces of its own. True there; false in the process that was
 * started, once the other has ended with the same code.
 */
export async function isInOwnNamespaces(): Promise<boolean> {
  if (process.env[IS_INSIDE] !== undefined) return true;
  const script = `${PREPARE} && exec "$@"`;
  const command = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  // Whatever ends the experiment, what it has written goes.
  const folder = mkdtempSync(join(tmpdir(), "twentysix-experiment-"));
  const child = spawn("unshare", [...worldFlags(), "sh", "-ec", script, "sh", ...command], {
    stdio: "inherit",
    env: { ...process.env, [IS_INSIDE]: "1", TMPDIR: folder },
  });
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => child.kill("SIGTERM"));
  const [code] = (await once(child, "exit")) as [number | null];
  rmSync(folder, { recursive: true, force: true });
  process.exitCode = code ?? 1;
  return false;
}

/** Machines with a cable to each other that can be cut, and one to us that cannot. */
export class Machines {
  readonly count: number;

  private constructor(count: number) {
    this.count = count;
  }

  static create(count: number): Machines {
    const lines = [
      "link add peers0 type bridge",
      "link set peers0 up",
      "link add ours type bridge",
      "link set ours up",
    ];
    lines.push(`addr add ${OURS}.254/24 dev ours`);
    for (let index = 0; index < count; index += 1) {
      spawnOrThrow("ip", ["netns", "add", nameOf(index)]);
      lines.push(
        `link add p${index} type veth peer name peers netns ${nameOf(index)}`,
        `link set p${index} master peers0 up`,
        `link add o${index} type veth peer name ours netns ${nameOf(index)}`,
        `link set o${index} master ours up`,
        // Over our cable they reach us and not each other.
        `link set o${index} type bridge_slave isolated on`,
      );
    }
    ip(lines);
    for (let index = 0; index < count; index += 1)
      ip(
        [
          "link set lo up",
          `addr add ${Machines.peerAddress(index)}/24 dev peers`,
          "link set peers up",
          `addr add ${Machines.ourAddress(index)}/24 dev ours`,
          "link set ours up",
        ],
        nameOf(index),
      );
    return new Machines(count);
  }

  /** To be called when no command runs on them any more. */
  remove(): void {
    for (let index = 0; index < this.count; index += 1) spawnOrThrow("ip", ["netns", "del", nameOf(index)]);
    ip(["link del peers0", "link del ours"]);
  }

  /** Where the others reach a machine. */
  static peerAddress = (index: number): string => `${PEERS}.${index + 1}`;
  /** Where we do. */
  static ourAddress = (index: number): string => `${OURS}.${index + 1}`;

  /** Bytes that have gone over a machine's cable to the others, headers of packets included. */
  bytesOf(index: number): { readonly received: number; readonly sent: number } {
    const { stdout } = spawnSync("ip", ["-s", "-j", "link", "show", `p${index}`], { encoding: "utf8" });
    const [link] = JSON.parse(stdout) as readonly LinkStatistics[];
    if (link === undefined) throw new Error(`machine ${index} has no cable`);
    // At our end of it.
    const { rx, tx } = link.stats64;
    return { received: tx.bytes, sent: rx.bytes };
  }

  /** What a command has to begin with, to run on a machine. */
  command(index: number): readonly string[] {
    return ["ip", "netns", "exec", nameOf(index)];
  }

  /**
   * Plugs the cables of each group into a switch of its own. What goes to another one is lost without a word: no
   * machine sees its cable unplugged, no connection is reset.
   */
  separate(...groups: readonly (readonly number[])[]): void {
    const lines = groups.flatMap((_group, at) =>
      at === 0 ? [] : [`link add peers${at} type bridge`, `link set peers${at} up`],
    );
    lines.push(
      ...groups.flatMap((group, at) => group.map((index) => `link set p${index} master peers${at}`)),
    );
    ip(lines);
  }

  /** All cables into one switch again. */
  join(): void {
    ip(Array.from({ length: this.count }, (_one, index) => `link set p${index} master peers0`));
    for (let at = 1; spawnSync("ip", ["link", "del", `peers${at}`]).status === 0; at += 1);
  }

  /** What some machines send to others goes nowhere; what these send arrives. */
  mute(senders: readonly number[], receivers: readonly number[]): void {
    for (const sender of senders)
      ip(
        receivers.map(
          (index) => `neigh replace ${Machines.peerAddress(index)} lladdr ${NOBODY} dev peers nud permanent`,
        ),
        nameOf(sender),
      );
  }

  unmute(senders: readonly number[], receivers: readonly number[]): void {
    for (const sender of senders)
      ip(
        receivers.map((index) => `neigh del ${Machines.peerAddress(index)} dev peers`),
        nameOf(sender),
      );
  }
}

interface LinkStatistics {
  readonly stats64: Readonly<Record<"rx" | "tx", { readonly bytes: number }>>;
}

const PEERS = "10.26.0";
const OURS = "10.27.0";
/** A hardware address that no machine has. */
const NOBODY = "02:00:00:00:00:01";
const nameOf = (index: number): string => `machine${index}`;

function ip(lines: readonly string[], namespace?: string): void {
  const where = namespace === undefined ? [] : ["-n", namespace];
  spawnOrThrow("ip", [...where, "-batch", "-"], `${lines.join("\n")}\n`);
}

function spawnOrThrow(command: string, args: readonly string[], input?: string): void {
  const { status, stderr } = spawnSync(command, args, {
    encoding: "utf8",
    ...(input === undefined ? {} : { input }),
  });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${stderr}`);
}
