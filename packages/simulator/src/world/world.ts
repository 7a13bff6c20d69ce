import {
  type Clock,
  createVirtualTime,
  type Random,
  type Timers,
  type VirtualTime,
} from "@twentysix/platform";
import { GeneratedFiles } from "../disk/generated-file.ts";
import { Links } from "../net/links.ts";
import { SimulatedNetwork } from "../net/simulated-network.ts";
import { randomFor } from "../random-for.ts";
import { Trace, type TraceSink } from "../trace.ts";
import { removeFolder, temporaryFolder } from "./database-files.ts";

/** When simulations begin: 2026-01-01. */
const START_MICROS = 1_767_225_600_000_000n;
const STEP_MS = 20;

/** What went wrong in a simulation. */
export class SimulationFailure extends Error {}

export interface WorldOptions {
  readonly seed: number;
  readonly sink?: TraceSink | null;
  /** A world that has been before: this one goes on with its time and its files. */
  readonly after?: World;
}

/** One simulation: its time, its chance, its network, and what is told of it. */
export class World implements Disposable {
  readonly seed: number;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly trace: Trace;
  readonly links: Links;
  readonly network: SimulatedNetwork;
  readonly files: GeneratedFiles;
  /** Of the databases. */
  readonly folder: string;
  readonly #time: VirtualTime;
  readonly #grave: string[] = [];
  #failure: SimulationFailure | null = null;

  constructor({ seed, sink = null, after }: WorldOptions) {
    this.seed = seed;
    this.#time = createVirtualTime(after?.clock.nowMicros() ?? START_MICROS);
    const { clock, timers } = this.#time;
    this.clock = clock;
    this.timers = timers;
    this.trace = new Trace(clock, sink);
    this.links = new Links({ clock, timers, random: this.random("links") });
    this.network = new SimulatedNetwork({
      ...{ clock, timers, links: this.links, trace: this.trace },
      random: this.random("network"),
    });
    this.files = after?.files ?? new GeneratedFiles(this.random("files"));
    this.folder = temporaryFolder();
  }

  random(purpose: string): Random {
    return randomFor(this.seed, purpose);
  }

  /** What nodes have called errors. */
  get graveLogs(): readonly string[] {
    return this.#grave;
  }

  grave(line: string): void {
    this.#grave.push(line);
  }

  /** Ends the simulation at its next step. */
  fail(what: string, cause: unknown): void {
    this.#failure ??= new SimulationFailure(`${what}: ${String(cause)}`, { cause });
  }

  async pass(durationMs: number): Promise<void> {
    await this.#time.advance(durationMs);
    if (this.#failure !== null) throw this.#failure;
  }

  /** Lets time pass until work is done. @throws SimulationFailure when it takes longer than that */
  async until<T>(what: string, maxMs: number, work: Promise<T>): Promise<T> {
    let isDone = false;
    const done = (): void => {
      isDone = true;
    };
    work.then(done, done);
    const endMs = this.clock.monotonicMs() + maxMs;
    await this.pass(0);
    while (!isDone) {
      if (this.clock.monotonicMs() >= endMs)
        throw new SimulationFailure(`${what}: not after ${maxMs} ms of virtual time`);
      await this.pass(STEP_MS);
    }
    return await work;
  }

  [Symbol.dispose](): void {
    removeFolder(this.folder);
  }
}
