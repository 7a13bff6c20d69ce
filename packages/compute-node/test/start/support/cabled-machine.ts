import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { runFolderOf } from "../../../src/helper/helper-folders.ts";
import type { Inventory } from "../../../src/helper/inventory.ts";
import { runTool } from "../../../src/processes/run-tool.ts";
import { IMAGES_FOLDER } from "../../images/support.ts";
import { guestsBelow, processesNaming } from "./host-table.ts";

const COMMAND = fileURLToPath(new URL("../../../../cli/bin/twentysix.mjs", import.meta.url));
const PORT = 4_020;
const TOOL_LIMIT_MS = 60_000;

export interface CabledMachineOptions {
  /** From 1 on: its addresses follow from it. */
  readonly index: number;
  readonly nodeHash: string;
  readonly coreNodePort: number;
  /** Address of the scheduler that it obeys. */
  readonly signer: string;
  /** All of it stands below. */
  readonly folder: string;
}

/**
 * A machine with one cable to this host and a compute node on it, which is started as an operator starts it: a network
 * namespace with a node, its helper and its guests as processes of their own.
 */
export class CabledMachine {
  readonly nodeHash: string;
  readonly apiUrl: string;
  readonly #options: CabledMachineOptions;
  readonly #name: string;
  #child: ChildProcess | null = null;

  constructor(options: CabledMachineOptions) {
    const { index, nodeHash } = options;
    this.#options = options;
    this.#name = `machine${index}`;
    this.nodeHash = nodeHash;
    this.apiUrl = `http://${this.#address}:${PORT}`;
  }

  get #address(): string {
    return `10.98.${this.#options.index}.2`;
  }

  get #hostAddress(): string {
    return `10.98.${this.#options.index}.1`;
  }

  get #folder(): string {
    return join(this.#options.folder, this.#name);
  }

  get computeDir(): string {
    return join(this.#folder, "compute");
  }

  /** Lays the cable. */
  async connect(): Promise<void> {
    mkdirSync(this.#folder, { recursive: true, mode: 0o711 });
    const [name, device] = [this.#name, this.#device];
    await ip("netns", "add", name);
    await ip("link", "add", device, "type", "veth", "peer", "name", "cable", "netns", name);
    await ip("address", "add", `${this.#hostAddress}/24`, "dev", device);
    await ip("link", "set", device, "up");
    await ip("-n", name, "address", "add", `${this.#address}/24`, "dev", "cable");
    await ip("-n", name, "link", "set", "cable", "up");
    await ip("-n", name, "link", "set", "lo", "up");
    await ip("-n", name, "route", "add", "default", "via", this.#hostAddress);
  }

  get #device(): string {
    return `cable${this.#options.index}`;
  }

  /** Starts the compute node; resolves once it answers. */
  async start(): Promise<void> {
    const { nodeHash, coreNodePort, signer } = this.#options;
    const flags = [
      ...["--roles", "crn", "--network", "local", "--log-level", "info", "--data-dir", this.#folder],
      ...["--core-nodes", `http://${this.#hostAddress}:${coreNodePort}`, "--allocation-signers", signer],
      ...["--compute-host", this.#address, "--compute-port", String(PORT), "--compute-node-hash", nodeHash],
      ...["--vm-images-dir", IMAGES_FOLDER, "--vm-ipv4-pool", this.#pool],
    ];
    const command = ["netns", "exec", this.#name, process.execPath, COMMAND, "node", ...flags];
    const inherited = Object.entries(process.env).filter(([name]) => !/^(TWENTYSIX_|npm_|NODE_)/.test(name));
    const child = spawn("ip", command, {
      env: Object.fromEntries(inherited),
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child = child;
    child.stderr.pipe(createWriteStream(join(this.#folder, "log"), { flags: "a" }));
    await new Promise<void>((resolve, reject) => {
      createInterface(child.stdout).on("line", (line) => {
        if (line.startsWith("ready ")) resolve();
      });
      child.once("close", () => reject(new Error(`a compute node ended: ${this.log}`)));
    });
  }

  get #pool(): string {
    return `10.${170 + this.#options.index}.0.0/16`;
  }

  /** Whatever it sends, and whatever is sent to it, is lost without a word. */
  async cut(): Promise<void> {
    await this.#drop(`iifname "${this.#device}" drop`, `oifname "${this.#device}" drop`);
  }

  /** Nobody reaches its API any more; it reaches everybody. */
  async cutFromScheduler(): Promise<void> {
    await this.#drop(
      `iifname "${this.#device}" tcp sport ${PORT} drop`,
      `ip daddr ${this.#address} tcp dport ${PORT} drop`,
    );
  }

  async heal(): Promise<void> {
    await nft(`delete table inet ${this.#name}`);
  }

  async #drop(input: string, output: string): Promise<void> {
    await nft(`table inet ${this.#name} {
      chain arriving { type filter hook input priority 0; ${input}; }
      chain leaving { type filter hook output priority 0; ${output}; }
    }`);
  }

  /** SIGKILL to its node and to the node's helper: none runs a further instruction. Its guests go on. */
  async killNodeAndHelper(): Promise<void> {
    const child = this.#child;
    const pids = processesNaming(this.#folder).filter(({ words }) => /twentysix\.mjs/.test(words));
    for (const { pid } of pids) process.kill(pid, "SIGKILL");
    if (child !== null && child.exitCode === null && child.signalCode === null) await once(child, "exit");
  }

  /** As `twentysix compute inspect` gives it on that machine. */
  async inspect(): Promise<Inventory> {
    const flags = ["--dir", this.computeDir, "--ipv4-pool", this.#pool];
    const words = [process.execPath, COMMAND, "compute", "inspect", ...flags];
    const script = '"$@" || [ $? = 1 ]';
    const said = await ip("netns", "exec", this.#name, "sh", "-c", script, "sh", ...words);
    return JSON.parse(said) as Inventory;
  }

  /** Where a machine is in its life, by the account of its node; null: it is not there, or the node does not answer. */
  async stateOf(vmHash: string): Promise<string | null> {
    try {
      const signal = AbortSignal.timeout(2_000);
      const answer = await fetch(`${this.apiUrl}/v2/about/executions/list`, { signal });
      const list = (await answer.json()) as Readonly<Record<string, { readonly state: string }>>;
      return list[vmHash]?.state ?? null;
    } catch {
      return null;
    }
  }

  /** What a guest has said on its console since it was started here. */
  consoleOf(vmHash: string): string {
    const file = join(runFolderOf(this.computeDir, vmHash), "serial.log");
    return existsSync(file) ? readFileSync(file, "utf8") : "";
  }

  /** What its node wants to run, or runs, by its own account. */
  async wanted(): Promise<readonly string[]> {
    const answer = await fetch(`${this.apiUrl}/v2/about/executions/list`);
    const list = (await answer.json()) as Readonly<Record<string, { readonly desired: string }>>;
    return Object.keys(list).filter((vmHash) => list[vmHash]?.desired === "running");
  }

  /** The machines of which its node has written down that they will have ended before others start them. */
  promised(): readonly string[] {
    using database = new DatabaseSync(join(this.computeDir, "executions.sqlite3"), { readOnly: true });
    const row = database.prepare("SELECT value FROM facts WHERE name = 'fences'").get();
    return Object.keys(JSON.parse(String(row?.value ?? "{}")) as object);
  }

  /** The power fails. */
  end(): void {
    for (const { pid } of processesNaming(this.#folder)) process.kill(pid, "SIGKILL");
    for (const { pid } of guestsBelow(this.#folder)) process.kill(pid, "SIGKILL");
  }

  get log(): string {
    const file = join(this.#folder, "log");
    return existsSync(file) ? readFileSync(file, "utf8") : "";
  }
}

async function ip(...words: readonly string[]): Promise<string> {
  return runTool("ip", words, { signal: AbortSignal.timeout(TOOL_LIMIT_MS) });
}

async function nft(rules: string): Promise<void> {
  await runTool("nft", [rules], { signal: AbortSignal.timeout(TOOL_LIMIT_MS) });
}
