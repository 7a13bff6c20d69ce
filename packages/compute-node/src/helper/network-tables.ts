import { runTool, ToolError } from "../processes/run-tool.ts";
import { changesOf, removalOf, rulesOf, tableNameOf } from "./network-rules.ts";
import type { HostNetwork, HostNetworkSettings } from "./network-settings.ts";
import { writeNetworkState } from "./network-state.ts";

const TIMEOUT_MS = 30_000;

/**
 * The tables of rules of this node, kept as the networks say. Calls that come while the kernel is busy are answered
 * together by the next change.
 */
export class RuleTables {
  readonly #settings: HostNetworkSettings;
  readonly #networks: () => readonly HostNetwork[];
  /** What the tables hold; null: nobody knows. */
  #applied: readonly HostNetwork[] | null = null;
  #last: Promise<void> = Promise.resolve();
  #next: Promise<void> | null = null;

  constructor(settings: HostNetworkSettings, networks: () => readonly HostNetwork[]) {
    this.#settings = settings;
    this.#networks = networks;
  }

  /** Resolves once the tables hold what the networks were when this was called, or later ones. @throws ToolError */
  apply(): Promise<void> {
    this.#next ??= this.#last
      // Whoever asked for the last change knows of its failure.
      .catch(() => undefined)
      .then(() => {
        this.#last = this.#next ?? this.#last;
        this.#next = null;
        return this.#change();
      });
    return this.#next;
  }

  /** The next change makes the tables anew, whatever they hold. */
  distrust(): void {
    this.#applied = null;
  }

  /** Whether the kernel has both tables; true while a change is on its way. */
  async arePresent(signal: AbortSignal): Promise<boolean> {
    if (this.#applied === null) return true;
    const output = await runTool("nft", ["list", "tables"], { signal });
    const name = tableNameOf(this.#settings);
    const isListed = (family: string): boolean => output.split("\n").includes(`table ${family} ${name}`);
    return this.#applied === null || (isListed("inet") && isListed("arp"));
  }

  async #change(): Promise<void> {
    const networks = this.#networks();
    await writeNetworkState(this.#settings, networks);
    const applied = this.#applied;
    this.#applied = null;
    if (networks.length === 0) await this.#run(`${removalOf(this.#settings)}\n`);
    else if (applied === null || applied.length === 0) await this.#run(rulesOf(this.#settings, networks));
    else await this.#runOrRenew(changesOf(this.#settings, applied, networks), networks);
    this.#applied = networks;
  }

  /** The tables may not be what they were: another program has flushed all rules of the host. */
  async #runOrRenew(changes: string, networks: readonly HostNetwork[]): Promise<void> {
    try {
      await this.#run(changes);
    } catch (error) {
      if (!(error instanceof ToolError) || error.code !== "TOOL_FAILED") throw error;
      await this.#run(rulesOf(this.#settings, networks));
    }
  }

  async #run(input: string): Promise<void> {
    await runTool("nft", ["-f", "-"], { input, signal: AbortSignal.timeout(TIMEOUT_MS) });
  }
}
