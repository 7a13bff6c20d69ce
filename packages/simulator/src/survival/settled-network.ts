import { pick, type Random } from "@twentysix/platform";
import { converge } from "../checks/convergence.ts";
import type { MachineImage } from "../disk/simulated-disk.ts";
import type { TraceSink } from "../trace.ts";
import { submitTo } from "../workload/client.ts";
import { type Drafted, MessageSource } from "../workload/message-source.ts";
import { simulatedDefinition } from "../workload/simulated-definition.ts";
import { Machine } from "../world/machine.ts";
import { nameOfMachine } from "../world/machine-key.ts";
import { untilReady } from "../world/until-ready.ts";
import { SimulationFailure, World } from "../world/world.ts";
import { isAsItShouldBe, keepersOf } from "./copies.ts";
import type { SurvivalSize } from "./survival-size.ts";

/** A network that has settled and was switched off: what stands on each of its disks. */
export interface SettledNetwork extends Disposable {
  readonly world: World;
  readonly size: SurvivalSize;
  readonly images: readonly MachineImage[];
  /** Hashes of all messages that are live. */
  readonly messages: readonly string[];
  readonly files: readonly string[];
  /** Of all files together. */
  readonly fileBytes: number;
}

const USERS = 20;
const LONG_MS = 24 * 3_600_000;
const SUBMIT_EVERY_MS = 60;
/** Messages that clients wait for at once. */
const MAX_OPEN = 64;
export const AUDIT_SECONDS = 120;
export const OUTAGE_SECONDS = 30;

export const survivalDefinition = ({ copies, erasure }: SurvivalSize) =>
  simulatedDefinition({
    ...{ copies, auditSeconds: AUDIT_SECONDS, outageSeconds: OUTAGE_SECONDS },
    ...(erasure === undefined ? {} : { erasure }),
  });

/** Nodes that take all messages and files, and go on until each file has the copies that it should have. */
export async function settleNetwork(
  seed: number,
  size: SurvivalSize,
  sink: TraceSink | null = null,
): Promise<SettledNetwork> {
  const world = new World({ seed, sink });
  const definition = survivalDefinition(size);
  const names = Array.from({ length: size.nodes }, (_, n) => nameOfMachine(n));
  const machines = names.map((_, number) => new Machine({ world, number, definition, bootstrap: names }));
  for (const machine of machines) machine.start();
  for (const machine of machines) await untilReady(world, machine);
  const taken = await submitAll(world, machines, size);
  await converge(world, machines, LONG_MS);
  const files = taken.flatMap(({ fileHash }) => fileHash ?? []);
  await untilKept(world, machines, files, size);
  const messages = await liveOf(world, machines, taken);
  for (const machine of machines) await world.until("the end", LONG_MS, machine.stop());
  const images = machines.map((machine) => machine.image());
  const fileBytes = taken.reduce((sum, { file }) => sum + (file?.sizeBytes ?? 0), 0);
  return { world, size, images, messages, files, fileBytes, [Symbol.dispose]: () => world[Symbol.dispose]() };
}

async function submitAll(
  world: World,
  machines: readonly Machine[],
  size: SurvivalSize,
): Promise<readonly Drafted[]> {
  const random = world.random("clients");
  const source = new MessageSource({
    random: world.random("messages"),
    files: world.files,
    nowSeconds: () => Number(world.clock.nowMicros()) / 1e6,
    users: USERS,
    fileSize: (chance) => sizeOf(chance, size),
    storePercent: 0,
  });
  for (const message of source.funding())
    await world.until(
      "the funds",
      LONG_MS,
      submit(world, machines[0], { ...message, kind: "funding", file: null, fileHash: null }),
    );
  await converge(world, machines, LONG_MS);
  const taken: Drafted[] = [];
  const open = new Set<Promise<void>>();
  const filesEvery = size.messages / size.files;
  for (let count = 0; count < size.messages; count += 1) {
    const isStore = Math.floor((count + 1) / filesEvery) > Math.floor(count / filesEvery);
    const message = isStore ? source.store() : source.next();
    taken.push(message);
    const submitted = submit(world, pick(random, machines), message).finally(() => open.delete(submitted));
    open.add(submitted);
    await world.pass(SUBMIT_EVERY_MS);
    if (open.size >= MAX_OPEN) await world.until("the answers", LONG_MS, Promise.all(open));
  }
  await world.until("the answers", LONG_MS, Promise.all(open));
  return taken;
}

async function submit(world: World, machine: Machine | undefined, message: Drafted): Promise<void> {
  const node = await machine?.readyNode();
  if (node == null) throw new SimulationFailure("A node is not ready although nothing is wrong");
  const answer = await submitTo(node, message, world.files);
  if (answer === "refused") throw new SimulationFailure(`The ${message.kind} ${message.hash} was refused`);
}

function sizeOf(random: Random, { minFileBytes, maxFileBytes, skew }: SurvivalSize): number {
  const doublings = Math.log2(maxFileBytes / minFileBytes);
  return Math.round(minFileBytes * 2 ** (doublings * (random.uniform(10_001) / 10_000) ** skew));
}

async function liveOf(
  world: World,
  [first]: readonly Machine[],
  taken: readonly Drafted[],
): Promise<readonly string[]> {
  if (first === undefined) return [];
  const { services } = await first.node();
  const live: string[] = [];
  for (const { hash } of taken) {
    const view = await world.until("a status", LONG_MS, services.reads.statusOf(hash));
    if (view?.status === "processed") live.push(hash);
  }
  return live;
}

/** Lets time pass until each file is kept by as many nodes as it should be, and by no more. */
async function untilKept(
  world: World,
  machines: readonly Machine[],
  files: readonly string[],
  size: SurvivalSize,
): Promise<void> {
  const endMs = world.clock.monotonicMs() + LONG_MS;
  for (;;) {
    let wrong = 0;
    for (const file of files) {
      const keepers = await keepersOf(world, machines, file);
      const { isEnough, isTooMuch } = isAsItShouldBe(keepers, size, machines.length);
      if (!isEnough || isTooMuch) wrong += 1;
    }
    if (wrong === 0) return;
    if (world.clock.monotonicMs() > endMs)
      throw new SimulationFailure(`${wrong} files have not the copies that they should have`);
    await world.pass(AUDIT_SECONDS * 250);
  }
}
