import { join } from "node:path";
import { DEFAULT_API_SETTINGS } from "@twentysix/core-node/settings";
import { type NodeParts, type Surroundings, startNodeParts } from "@twentysix/core-node/simulated";
import { denyListOf, type PeerKey } from "@twentysix/network";
import type { Random } from "@twentysix/platform";
import type { NetworkDefinition } from "@twentysix/protocol";
import { nodeDisk } from "../disk/node-disk.ts";
import { type DiskFolder, type MachineImage, SimulatedDisk } from "../disk/simulated-disk.ts";
import type { Tamper } from "../net/host.ts";
import { randomFor } from "../random-for.ts";
import { localThreads } from "../threads/local-threads.ts";
import { type OwnTimers, ownTimers } from "../time/own-timers.ts";
import { SkewedClock } from "../time/skewed-clock.ts";
import { copyDatabases, makeDatabaseFolders, makeEmptyDatabase, removeFolder } from "./database-files.ts";
import { keyOfMachine } from "./machine-key.ts";
import { toldLogger } from "./told-logger.ts";
import type { World } from "./world.ts";

/** How a node ends without being asked: the process alone, the power of its machine, or the machine with its disk. */
export type Crash = "process" | "power" | "disk";

export interface MachineOptions {
  readonly world: World;
  /** Which one of all: its key follows from it. */
  readonly number: number;
  readonly definition: NetworkDefinition;
  /** Nodes that it knows of from the beginning. */
  readonly bootstrap: readonly string[];
  /** What stands on its disk; nothing by default. */
  readonly image?: MachineImage;
  /** What it sends is not what a node would send. */
  readonly tamper?: Tamper;
}

interface Running {
  readonly own: OwnTimers;
  readonly stack: AsyncDisposableStack;
  readonly parts: Promise<NodeParts>;
}

const MIB = 1024 * 1024;
const MEMORY_BYTES = 512 * MIB;

/** A machine with its disk and its clock, and the node that runs on it, most of the time. */
export class Machine {
  readonly peerId: string;
  readonly #key: PeerKey;
  readonly clock: SkewedClock;
  readonly #options: MachineOptions;
  readonly #random: Random;
  #disk: SimulatedDisk;
  #starts = 0;
  #running: Running | null = null;

  constructor(options: MachineOptions) {
    const { world, number, image } = options;
    this.#options = options;
    this.#key = keyOfMachine(number);
    const { peerId } = this.#key;
    this.peerId = peerId;
    this.clock = new SkewedClock(world.clock);
    this.#random = randomFor(world.seed, `machine ${peerId}`);
    this.#disk = this.#newDisk(image?.disk.image());
    if (image === undefined) this.#makeDatabases();
    else copyDatabases(image.databases, this.#dataDir);
  }

  get isRunning(): boolean {
    return this.#running !== null;
  }

  /** The node, if it runs and is through with what it had to take from others. */
  async readyNode(): Promise<NodeParts | null> {
    const running = this.#running;
    const node = await running?.parts;
    return node?.services.node.sync?.().state === "ready" ? node : null;
  }

  /** The node that runs. */
  node(): Promise<NodeParts> {
    if (this.#running === null) throw new Error(`${this.peerId} does not run`);
    return this.#running.parts;
  }

  start(): void {
    if (this.#running !== null) return;
    const { world } = this.#options;
    const { peerId } = this;
    world.trace.add(`${peerId} starts`);
    const own = ownTimers(world.timers);
    const stack = new AsyncDisposableStack();
    const parts = this.#startNode(own, stack);
    parts.catch((error: unknown) => {
      if (!own.isEnded) world.fail(`${peerId} does not start`, error);
    });
    this.#running = { own, stack, parts };
  }

  /** Ends the node as its operator would. */
  async stop(): Promise<void> {
    const running = this.#running;
    if (running === null) return;
    this.#options.world.trace.add(`${this.peerId} stops`);
    await running.parts;
    await running.stack.disposeAsync();
    this.#running = null;
    running.own.end();
  }

  /** Nothing of the node runs from here on; what is left of its disk is what the kind of crash leaves. */
  crash(kind: Crash): void {
    if (this.#running === null) return;
    const { world } = this.#options;
    const { peerId } = this;
    world.trace.add(`${peerId} crashes: ${kind}`);
    this.#running.own.end();
    this.#running = null;
    world.network.died(peerId, kind === "process");
    const old = this.#dataDir;
    this.#starts += 1;
    if (kind === "disk") {
      this.#disk = this.#newDisk();
      this.#makeDatabases();
    } else {
      if (kind === "power") this.#disk.losePower(this.#random);
      copyDatabases(old, this.#dataDir);
    }
    removeFolder(old);
  }

  #makeDatabases(): void {
    makeDatabaseFolders(this.#dataDir);
    makeEmptyDatabase(this.#dataDir);
  }

  get #dataDir(): string {
    return join(this.#options.world.folder, this.peerId, String(this.#starts));
  }

  /** Of a machine that does not run; to be used while the world is there. */
  image(): MachineImage {
    if (this.#running !== null) throw new Error(`${this.peerId} runs`);
    return { peerId: this.peerId, disk: this.#disk, databases: this.#dataDir };
  }

  #newDisk(image?: DiskFolder): SimulatedDisk {
    const nowMs = (): number => Number(this.clock.nowMicros() / 1_000n);
    return new SimulatedDisk(this.#options.world.files, nowMs, image);
  }

  async #startNode(own: OwnTimers, stack: AsyncDisposableStack): Promise<NodeParts> {
    const { world, definition, bootstrap } = this.#options;
    const { peerId } = this;
    const { timers } = own;
    const log = toldLogger(world.trace, peerId, (line) => world.grave(line));
    const parts = await startNodeParts(
      {
        dataDir: this.#dataDir,
        definition,
        apiSettings: {
          ...DEFAULT_API_SETTINGS,
          gracePeriodMs: definition.limits.gracePeriodSeconds * 1_000,
        },
        peers: {
          keyFolder: "/nowhere",
          keyKind: "ed25519",
          host: "127.0.0.1",
          port: 0,
          announce: [],
          bootstrap: bootstrap.map((other) => `/memory/${other}/p2p/${other}`),
          announcedApiUrl: null,
          gateways: [],
          denied: denyListOf([]),
        },
        maxDiskBytes: null,
        maxMemoryBytes: MEMORY_BYTES,
        memoryUsage: () => 0,
        version: "simulated",
        address: peerId,
        clock: this.clock,
        timers,
        log,
        logPretty: false,
        surroundings: this.#surroundings(own),
      },
      stack,
    );
    parts.pipeline.failed.catch((error: unknown) => {
      if (!own.isEnded) world.fail(`the pipeline of ${peerId} failed`, error);
    });
    stack.defer(() => parts.peers.close());
    await parts.startPeers(`http://${peerId}.invalid`);
    world.trace.add(`${peerId} runs`);
    return parts;
  }

  #surroundings(own: OwnTimers): Surroundings {
    const { world, tamper } = this.#options;
    const { peerId } = this;
    const { timers } = own;
    const random = this.#random;
    const { clock } = this;
    const log = toldLogger(world.trace, peerId, (line) => world.grave(line));
    return {
      random,
      threads: localThreads({
        ...{ clock, timers, random, log },
        onMessage: (line) => world.trace.add(`${peerId} ${line}`),
      }),
      disk: nodeDisk({ disk: this.#disk, timers, random, dataDir: this.#dataDir }),
      checkpointsApart: false,
      verifierQuietMs: null,
      readerQuietMs: null,
      openNetwork: async (options) =>
        world.network.open(this.#key, own, timers, options, tamper === undefined ? {} : { tamper }),
    };
  }
}
