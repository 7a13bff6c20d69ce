import { pick, type Random, shuffled } from "@twentysix/platform";
import { servedHash } from "../checks/kept-promises.ts";
import { Machine } from "../world/machine.ts";
import { SimulationFailure, World } from "../world/world.ts";
import { isAsItShouldBe, keepersOf } from "./copies.ts";
import { OUTAGE_SECONDS, type SettledNetwork, survivalDefinition } from "./settled-network.ts";

const READY_MS = 30_000;
const SERVE_MS = 3_600_000;
const LOOK_EVERY_MS = 10_000;

/** Who is asked for each file: every survivor, those that keep it and one that does not, or one drawn from all. */
export type Asked = "all" | "keepers" | "one";

export interface KillOptions {
  readonly network: SettledNetwork;
  readonly seed: number;
  /** Machines that are killed at once; with more than one group, each once the files have their copies again. */
  readonly groups: readonly (readonly string[] | number)[];
  readonly asked: Asked;
}

export interface KillReport {
  readonly killed: readonly string[];
  readonly filesServed: number;
  readonly messagesServed: number;
  /** From each killing to the last copy that was missing, in virtual time. */
  readonly repairMs: readonly number[];
}

/**
 * Starts a settled network, kills nodes, and asks the survivors for everything at the end.
 *
 * @throws SimulationFailure when something is not served, or not repaired
 */
export async function killNodes({ network, seed, groups, asked }: KillOptions): Promise<KillReport> {
  using world = new World({ seed, after: network.world });
  const definition = survivalDefinition(network.size);
  const bootstrap = network.images.map(({ peerId }) => peerId);
  const machines = network.images.map(
    (image, number) => new Machine({ world, number, definition, bootstrap, image }),
  );
  for (const machine of machines) machine.start();
  await world.pass(READY_MS);
  const random = world.random("killer");
  const killed: string[] = [];
  const repairMs: number[] = [];
  let alive: readonly Machine[] = machines;
  for (const [n, group] of groups.entries()) {
    if (n > 0) repairMs.push(await untilRepaired(world, alive, network));
    const victims =
      typeof group === "number"
        ? shuffled(random, alive)
            .slice(0, group)
            .map(({ peerId }) => peerId)
        : group;
    for (const machine of alive) if (victims.includes(machine.peerId)) machine.crash("disk");
    killed.push(...victims);
    alive = alive.filter(({ peerId }) => !victims.includes(peerId));
  }
  const filesServed = await askForFiles(world, alive, network, asked);
  const messagesServed = await askForMessages(world, alive, network);
  for (const machine of alive) await world.until("the end", SERVE_MS, machine.stop());
  return { killed, filesServed, messagesServed, repairMs };
}

async function untilRepaired(
  world: World,
  alive: readonly Machine[],
  { files, size }: SettledNetwork,
): Promise<number> {
  const startMs = world.clock.monotonicMs();
  await world.pass(OUTAGE_SECONDS * 1_000);
  for (;;) {
    let missing = 0;
    for (const file of files) {
      const keepers = await keepersOf(world, alive, file);
      if (!isAsItShouldBe(keepers, size, alive.length).isEnough) missing += 1;
    }
    const tookMs = world.clock.monotonicMs() - startMs;
    if (missing === 0) return tookMs;
    if (tookMs > SERVE_MS)
      throw new SimulationFailure(`${missing} files are not repaired after ${tookMs} ms`);
    await world.pass(LOOK_EVERY_MS);
  }
}

async function askForFiles(
  world: World,
  alive: readonly Machine[],
  { files }: SettledNetwork,
  asked: Asked,
): Promise<number> {
  const random = world.random("readers");
  let served = 0;
  for (const file of files) {
    const { whole, shards } = await keepersOf(world, alive, file);
    const keepers = [...new Set([...whole, ...shards.flat()])];
    for (const machine of readersOf(random, alive, keepers, asked)) {
      const bytes = servedHash(await machine.node(), file);
      const hash = await world.until(`${machine.peerId} serves ${file}`, SERVE_MS, bytes);
      if (hash !== file) throw new SimulationFailure(`${machine.peerId} serves ${hash} for the file ${file}`);
      served += 1;
    }
  }
  return served;
}

function readersOf(
  random: Random,
  alive: readonly Machine[],
  keepers: readonly Machine[],
  asked: Asked,
): readonly Machine[] {
  if (asked === "all") return alive;
  const others = asked === "one" ? alive : alive.filter((machine) => !keepers.includes(machine));
  const one = pick(random, others);
  return [...(asked === "one" ? [] : keepers), ...(one === undefined ? [] : [one])];
}

async function askForMessages(
  world: World,
  alive: readonly Machine[],
  { messages }: SettledNetwork,
): Promise<number> {
  let served = 0;
  for (const machine of alive) {
    const { services } = await machine.node();
    for (const hash of messages) {
      const raw = await world.until("a message", SERVE_MS, services.reads.rawMessage(hash));
      if (raw === null) throw new SimulationFailure(`${machine.peerId} does not serve the message ${hash}`);
      served += 1;
    }
  }
  return served;
}
