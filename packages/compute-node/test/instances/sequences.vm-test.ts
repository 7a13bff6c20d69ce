import assert from "node:assert/strict";
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import {
  createMemoryLogger,
  createSeededRandom,
  createSystemTimers,
  pick,
  type Random,
} from "@twentysix/platform";
import { endHost } from "../../src/helper/end-host.ts";
import { HelperClient } from "../../src/helper/helper-client.ts";
import { recordsFolderOf } from "../../src/helper/helper-folders.ts";
import type { HelperGreeting } from "../../src/helper/helper-protocol.ts";
import type { Inventory } from "../../src/helper/inventory.ts";
import { tinyDisk } from "../../src/images/build/tiny-guest.ts";
import { buildOptions, IMAGES_FOLDER } from "../images/support.ts";
import { tellAccelerator } from "../support/tell-accelerator.ts";
import { OPERATIONS, type SequenceAnswer } from "./support/sequence-messages.ts";

const NODE = fileURLToPath(new URL("./support/sequence-node.ts", import.meta.url));
const NETWORK = process.getuid?.() === 0 ? "tap" : "user";
const SEQUENCES = Number(process.env.TWENTYSIX_TEST_VM_SEQUENCES ?? "3");
const FIRST_SEED = Number(process.env.TWENTYSIX_TEST_VM_SEED ?? Date.now() % 1_000_000);
const STEPS = 6;
const NAMES = ["one", "two"];
const LIMIT_MS = 240_000;
const surroundings = { timers: createSystemTimers(), log: createMemoryLogger() };

const WEIGHTED = [...OPERATIONS, "start", "start", "start"] as const;

/** What the probe of the host has found for an earlier sequence: trying it takes most of a minute. */
let abilities: Buffer | null = null;

interface KeptAbilities {
  readonly abilities: { readonly accelerator: "kvm" | "tcg" };
}

/** What its owner does to machines of a node, which dies every now and then, and its helper too. */
class Sequence {
  readonly dir = mkdtempSync(join(tmpdir(), "sequence-"));
  readonly story: string[] = [];
  readonly #random: Random;
  readonly #signal = AbortSignal.timeout(LIMIT_MS);
  #node: ChildProcess | null = null;
  #lastId = 0;

  constructor(seed: number) {
    this.#random = createSeededRandom(seed);
    if (abilities === null) return;
    mkdirSync(recordsFolderOf(this.dir), { recursive: true, mode: 0o700 });
    writeFileSync(this.#abilitiesFile, abilities);
  }

  get #abilitiesFile(): string {
    return join(recordsFolderOf(this.dir), "abilities.json");
  }

  async run(): Promise<void> {
    for (let step = 0; step < STEPS; step += 1) {
      await this.#start();
      // Nothing else does much before there is a machine.
      const operation = step === 0 ? "start" : (pick(this.#random, WEIGHTED) ?? "start");
      const name = pick(this.#random, NAMES) ?? "one";
      const done = this.#ask(operation, name);
      switch (this.#random.uniform(4)) {
        case 0:
          await this.#crash(operation, name);
          break;
        case 1:
          await this.#crashHelper();
          this.#tell(operation, name, await done);
          break;
        default:
          this.#tell(operation, name, await done);
      }
    }
    await this.#start();
    for (const name of NAMES) this.#tell("erase", name, await this.#erased(name));
  }

  /** What is left on the host of machines that are erased. */
  async leftovers(): Promise<readonly string[]> {
    const { entries, orphans } = await this.#inventory();
    const names = ["vms", "run", "backups"].flatMap((folder) => this.#entriesOf(folder));
    return [...entries, ...orphans].map(({ kind, name }) => `${kind} ${name}`).concat(names);
  }

  async end(): Promise<void> {
    this.#node?.kill("SIGKILL");
    if (existsSync(this.#abilitiesFile)) {
      abilities = readFileSync(this.#abilitiesFile);
      tellAccelerator((JSON.parse(abilities.toString()) as KeptAbilities).abilities.accelerator);
    }
    await endHost(this.dir, surroundings, this.#signal);
    rmSync(this.dir, { recursive: true, force: true });
  }

  async #start(): Promise<void> {
    if (this.#node !== null) return;
    const node = fork(NODE, [this.dir, NETWORK], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
    const died = once(node, "exit").then(([code]) => {
      throw new Error(`the node ended by itself (${code}): ${this.story.join(", ")}`);
    });
    died.catch(() => undefined);
    await Promise.race([once(node, "message", { signal: this.#signal }), died]);
    this.#node = node;
  }

  /** The answer; null when the node died before it. */
  async #ask(operation: string, name: string): Promise<SequenceAnswer | null> {
    const node = this.#node;
    if (node === null) throw new Error("there is no node");
    this.#lastId += 1;
    const id = this.#lastId;
    const answer = new Promise<SequenceAnswer | null>((resolve) => {
      node.on("message", (message: SequenceAnswer) => {
        if (message.id === id) resolve(message);
      });
      node.once("exit", () => resolve(null));
    });
    node.send({ id, operation, name });
    return await answer;
  }

  async #erased(name: string): Promise<SequenceAnswer | null> {
    for (;;) {
      const answer = await this.#ask("erase", name);
      if (answer?.error === null || answer?.error === "NOT_FOUND") return answer;
      // A backup or an export is on its way still.
      await sleep(200, undefined, { signal: this.#signal });
    }
  }

  async #crash(operation: string, name: string): Promise<void> {
    await sleep(this.#random.uniform(3_000));
    const node = this.#node;
    this.#node = null;
    node?.kill("SIGKILL");
    if (node !== null && node.exitCode === null && node.signalCode === null) await once(node, "exit");
    this.story.push(`${operation} ${name}, node killed`);
  }

  async #crashHelper(): Promise<void> {
    await sleep(this.#random.uniform(2_000));
    using client = this.#client();
    const { pid } = await client.call<HelperGreeting>("hello", {}, this.#signal);
    process.kill(pid, "SIGKILL");
    this.story.push("helper killed");
  }

  async #inventory(): Promise<Inventory> {
    using client = this.#client();
    return await client.call<Inventory>("inventory", {}, this.#signal);
  }

  #client(): HelperClient {
    const ignore = (): void => undefined;
    return new HelperClient({
      dir: this.dir,
      command: null,
      ...surroundings,
      onExit: ignore,
      onConnected: ignore,
    });
  }

  #entriesOf(folder: string): readonly string[] {
    try {
      return readdirSync(join(this.dir, folder)).map((name) => `${folder}/${name}`);
    } catch {
      return [];
    }
  }

  #tell(operation: string, name: string, answer: SequenceAnswer | null): void {
    this.story.push(`${operation} ${name}: ${answer === null ? "no answer" : (answer.error ?? "done")}`);
  }
}

describe("random sequences of what owners do, with crashes", {
  timeout: 60_000 + SEQUENCES * LIMIT_MS,
}, () => {
  for (let index = 0; index < SEQUENCES; index += 1) {
    const seed = FIRST_SEED + index;
    test(`seed ${seed} leaves nothing behind`, async () => {
      await tinyDisk(IMAGES_FOLDER, buildOptions(AbortSignal.timeout(LIMIT_MS)));
      const sequence = new Sequence(seed);
      try {
        await sequence.run();
        assert.deepEqual(await sequence.leftovers(), [], sequence.story.join(", "));
      } finally {
        await sequence.end();
      }
    });
  }
});
