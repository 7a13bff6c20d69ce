import { pick, type Random } from "@twentysix/platform";
import type { NetworkDefinition } from "@twentysix/protocol";
import { converge } from "./checks/convergence.ts";
import { assertNoDefects } from "./checks/defects.ts";
import { assertBalancesAgree, assertFilesServed, assertMessagesKept } from "./checks/kept-promises.ts";
import { assertVerified } from "./checks/verified-data.ts";
import { clockSkew } from "./faults/clock-skew.ts";
import { crashes } from "./faults/crashes.ts";
import type { Fault } from "./faults/fault.ts";
import { gossipFloods } from "./faults/gossip-floods.ts";
import { lies } from "./faults/liars.ts";
import { partitions } from "./faults/partitions.ts";
import { weather } from "./faults/weather.ts";
import { between, happens } from "./random-for.ts";
import { type FaultName, planOf, type StormPlan, type StormSize } from "./storm-plan.ts";
import type { TraceSink } from "./trace.ts";
import { submitTo } from "./workload/client.ts";
import { type Drafted, MessageSource } from "./workload/message-source.ts";
import { Promises } from "./workload/promises.ts";
import { simulatedDefinition } from "./workload/simulated-definition.ts";
import { Machine } from "./world/machine.ts";
import { nameOfMachine } from "./world/machine-key.ts";
import { untilReady } from "./world/until-ready.ts";
import { World } from "./world/world.ts";

export interface StormReport {
  readonly seed: number;
  readonly events: number;
  readonly digest: string;
  readonly virtualMs: number;
  readonly convergedAfterMs: number;
  readonly acknowledged: number;
  readonly crashes: number;
  /** What nodes have called errors. */
  readonly errors: readonly string[];
}

const START_MS = 120_000;
const STOP_MS = 120_000;
const USERS = 8;

/** One seed: a network under all faults, then peace, and what must hold then. @throws SimulationFailure */
export async function runStorm(
  seed: number,
  size: StormSize,
  sink: TraceSink | null = null,
): Promise<StormReport> {
  using world = new World({ seed, sink });
  return await new Storm(world, planOf(world.random("plan"), size)).run();
}

class Storm {
  readonly #world: World;
  readonly #plan: StormPlan;
  readonly #random: Random;
  readonly #definition: NetworkDefinition;
  readonly #machines: readonly Machine[];
  readonly #honest: readonly Machine[];
  readonly #source: MessageSource;
  readonly #promises = new Promises();
  #crashes = 0;

  constructor(world: World, plan: StormPlan) {
    this.#world = world;
    this.#plan = plan;
    world.trace.add(`plan ${JSON.stringify(plan)}`);
    this.#random = world.random("storm");
    this.#definition = simulatedDefinition(plan.durability);
    this.#machines = Array.from({ length: plan.nodes }, (_, n) => this.#machine(n, this.#definition));
    this.#honest = this.#machines.slice(plan.liars);
    this.#source = new MessageSource({
      random: world.random("messages"),
      files: world.files,
      nowSeconds: () => Number(world.clock.nowMicros()) / 1e6,
      users: USERS,
      fileSize: (random) => sizeUpTo(random, plan.maxFileBytes),
      storePercent: 12,
    });
  }

  async run(): Promise<StormReport> {
    const world = this.#world;
    for (const machine of this.#machines) {
      world.timers.schedule(this.#random.uniform(500), () => machine.start());
    }
    await world.pass(500);
    for (const machine of this.#machines) await world.until("the start", START_MS, machine.node());
    await this.#fund();
    await this.#rage();
    const convergedAfterMs = await converge(world, this.#honest, this.#plan.convergeMs);
    await assertMessagesKept(world, this.#honest, this.#promises.binding);
    await assertBalancesAgree(world, this.#honest, this.#source.addresses);
    await assertFilesServed(world, this.#honest, this.#promises.binding);
    await assertNoDefects(this.#honest);
    for (const machine of this.#machines) await world.until("the end", STOP_MS, machine.stop());
    const report = this.#report(convergedAfterMs);
    const verified = pick(this.#random, this.#honest);
    if (verified !== undefined) await assertVerified(world, verified.image(), this.#definition);
    return report;
  }

  #report(convergedAfterMs: number): StormReport {
    const world = this.#world;
    return {
      seed: world.seed,
      events: world.trace.events,
      digest: world.trace.digest(),
      virtualMs: world.clock.monotonicMs(),
      convergedAfterMs,
      acknowledged: this.#promises.all.length,
      crashes: this.#crashes,
      errors: world.graveLogs,
    };
  }

  #machine(n: number, definition: NetworkDefinition): Machine {
    const world = this.#world;
    const names = Array.from({ length: this.#plan.nodes }, (_, other) => nameOfMachine(other));
    const bootstrap = names.filter((_, other) => other !== n);
    const isLiar = n < this.#plan.liars;
    const tamper = isLiar ? { tamper: lies(world.random(`lies of ${n}`)) } : {};
    return new Machine({ world, number: n, definition, bootstrap, ...tamper });
  }

  /** Everybody can pay, and every node knows it. */
  async #fund(): Promise<void> {
    const [first] = this.#honest;
    if (first === undefined) throw new Error("There is no honest node");
    await untilReady(this.#world, first);
    for (const message of this.#source.funding()) {
      const submitted = this.#submit(first, { ...message, kind: "funding", file: null, fileHash: null });
      await this.#world.until("the funds", START_MS, submitted);
    }
    await converge(this.#world, this.#honest, this.#plan.convergeMs);
  }

  async #rage(): Promise<void> {
    const world = this.#world;
    const { messages, stormMs } = this.#plan;
    const over = new AbortController();
    const liars = this.#machines.slice(0, this.#plan.liars).map(({ peerId }) => peerId);
    const known = (): readonly string[] => this.#promises.all.map(({ text }) => text);
    const faults: Readonly<Record<FaultName, Fault>> = {
      weather,
      partitions,
      clockSkew,
      gossipFloods: gossipFloods(liars, known),
      crashes: crashes({
        diskPerMille: 200,
        maxDiskLosses: this.#plan.maxDiskLosses,
        maxDown: Math.max(1, Math.floor(this.#machines.length / 3)),
        onCrash: (peerId, kind) => {
          this.#crashes += 1;
          if (kind === "disk") this.#promises.diskLost(peerId);
        },
      }),
    };
    for (const name of this.#plan.faults) {
      const random = world.random(name);
      faults[name]({ world, machines: this.#machines, random, over: over.signal });
    }
    for (let count = 0; count < messages; count += 1)
      world.timers.schedule(between(this.#random, 0, stormMs), () => void this.#send());
    await world.pass(stormMs + 1);
    world.trace.add("the storm is over");
    over.abort();
    for (const machine of this.#machines) await world.until("the start", START_MS, machine.node());
  }

  /** A client picks a node that runs, whether it has what the others have or not. */
  async #send(): Promise<void> {
    const running = this.#honest.filter(({ isRunning }) => isRunning);
    const machine = pick(this.#random, running);
    if (machine === undefined) return;
    const message = this.#source.next();
    await this.#submit(machine, message);
    // Clients ask other nodes too when an answer is late.
    const other = happens(this.#random, 100) ? pick(this.#random, running) : undefined;
    if (other?.isRunning === true) await this.#submit(other, message);
  }

  async #submit(machine: Machine, message: Drafted): Promise<void> {
    const world = this.#world;
    try {
      if (!machine.isRunning) return;
      const node = await machine.node();
      const answer = await submitTo(node, message, world.files);
      world.trace.add(`${machine.peerId} answers ${answer} to the ${message.kind} ${message.hash}`);
      if (answer === "refused") return;
      const { hash, kind, text, fileHash } = message;
      this.#promises.add({ hash, kind, text, fileHash, peerId: machine.peerId });
    } catch (error) {
      world.fail(`${machine.peerId} does not take the ${message.kind} ${message.hash}`, error);
    }
  }
}

/** Small ones are as frequent as large ones. */
function sizeUpTo(random: Random, maxBytes: number): number {
  const doublings = Math.log2(maxBytes / 1_024);
  return Math.round(1_024 * 2 ** ((doublings * random.uniform(1_001)) / 1_000));
}
