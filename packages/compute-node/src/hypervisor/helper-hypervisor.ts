import { randomUUID } from "node:crypto";
import { createDeferred, type Deferred, type Logger, type Timers } from "@twentysix/platform";
import { HelperClient } from "../helper/helper-client.ts";
import { HELPER_PROTOCOL, type HelperGreeting, type MachineFacts } from "../helper/helper-protocol.ts";
import type { HelperCommand } from "../helper/helper-spawn.ts";
import type { HelperCalls } from "../helper/host-parts.ts";
import { HypervisorError } from "./errors.ts";
import type { Hypervisor, HypervisorCapabilities, RunningVm, VmExit, VmProcess } from "./hypervisor.ts";
import { HelperVm } from "./running-vm.ts";
import type { VmSpec } from "./vm-spec.ts";

export interface HelperHypervisorOptions {
  /** Folder of the compute node, with the helper's socket. */
  readonly dir: string;
  readonly command: HelperCommand | null;
  readonly timers: Timers;
  readonly log: Logger;
}

/** Machines of this host, started and found through its helper. */
export class HelperHypervisor implements Hypervisor, Disposable {
  readonly #options: HelperHypervisorOptions;
  readonly #client: HelperClient;
  /** Ends that somebody waits for, by the launch. */
  readonly #exits = new Map<string, Deferred<VmExit>>();
  readonly #closing = new AbortController();
  #capabilities: HypervisorCapabilities | null = null;

  private constructor(options: HelperHypervisorOptions) {
    this.#options = options;
    this.#client = new HelperClient({
      ...options,
      onExit: ({ launchId, exit }) => this.#ended(launchId, exit),
      onConnected: () => void this.#catchUp(),
    });
  }

  /**
   * Reaches the helper, or starts it, and asks what the host can do; the first time on a host that takes seconds.
   *
   * @throws HypervisorError HELPER_UNREACHABLE, HELPER_REFUSED
   */
  static async open(options: HelperHypervisorOptions, signal: AbortSignal): Promise<HelperHypervisor> {
    const hypervisor = new HelperHypervisor(options);
    try {
      await hypervisor.refresh(signal);
      return hypervisor;
    } catch (error) {
      hypervisor[Symbol.dispose]();
      throw error;
    }
  }

  /** Asks anew what the host can do: its images may have been built meanwhile. */
  async refresh(signal: AbortSignal): Promise<HypervisorCapabilities> {
    const { protocol, capabilities } = await this.#client.call<HelperGreeting>("hello", {}, signal);
    if (protocol !== HELPER_PROTOCOL) {
      const text = `it speaks version ${protocol}, this node ${HELPER_PROTOCOL}: stop it, and it is started anew`;
      throw new HypervisorError("HELPER_REFUSED", `the host helper is of another version: ${text}`);
    }
    this.#capabilities = capabilities;
    return capabilities;
  }

  /** For what else the helper does: networks, the inventory. */
  get helper(): HelperCalls {
    return this.#client;
  }

  /** Whether its helper can be spoken to now; one that has ended is started again. */
  get isConnected(): boolean {
    return this.#client.isConnected;
  }

  capabilities(): HypervisorCapabilities {
    if (this.#capabilities === null) throw new Error("the hypervisor is used before it was opened");
    return this.#capabilities;
  }

  async start(spec: VmSpec, signal: AbortSignal): Promise<RunningVm> {
    const launchId = randomUUID();
    const exit = this.#exitOf(launchId);
    try {
      const facts = await this.#client.call<MachineFacts>("launch", { spec, launchId }, signal);
      return this.#running(facts, exit);
    } catch (error) {
      this.#exits.delete(launchId);
      // Nobody waits for it any more: it must not run.
      const isUnknown = error instanceof HypervisorError && error.code === "HELPER_UNREACHABLE";
      if (signal.aborted || isUnknown) void this.#abandon(spec.vmHash, launchId);
      throw error;
    }
  }

  async find(vmHash: string, signal: AbortSignal): Promise<RunningVm | null> {
    const facts = await this.#client.call<MachineFacts | null>("find", { vmHash }, signal);
    return facts === null ? null : this.#running(facts, this.#exitOf(facts.launchId));
  }

  async list(signal: AbortSignal): Promise<readonly VmProcess[]> {
    return await this.#client.call<readonly MachineFacts[]>("list", {}, signal);
  }

  async forget(vmHash: string, signal: AbortSignal): Promise<void> {
    await this.#client.call("forget", { vmHash }, signal);
  }

  [Symbol.dispose](): void {
    this.#closing.abort();
    this.#client[Symbol.dispose]();
  }

  #running(facts: MachineFacts, exit: Deferred<VmExit>): RunningVm {
    const { timers } = this.#options;
    return new HelperVm({ facts, exited: exit.promise, helper: this.#client, timers });
  }

  #exitOf(launchId: string): Deferred<VmExit> {
    const known = this.#exits.get(launchId);
    if (known !== undefined) return known;
    const exit = createDeferred<VmExit>();
    this.#exits.set(launchId, exit);
    return exit;
  }

  #ended(launchId: string, exit: VmExit): void {
    this.#exits.get(launchId)?.resolve(exit);
    this.#exits.delete(launchId);
  }

  /** After the connection was lost: which of the machines have ended meanwhile, and how. */
  async #catchUp(): Promise<void> {
    const { signal } = this.#closing;
    try {
      const running = await this.#client.call<readonly MachineFacts[]>("list", {}, signal);
      const present = new Set(running.map(({ launchId }) => launchId));
      for (const launchId of [...this.#exits.keys()].filter((each) => !present.has(each))) {
        const exit = await this.#client.call<VmExit | null>("exitOf", { launchId }, signal);
        if (exit !== null) this.#ended(launchId, exit);
      }
    } catch (error) {
      if (!signal.aborted) this.#options.log.warn("the ends of machines are not known", { error });
    }
  }

  async #abandon(vmHash: string, launchId: string): Promise<void> {
    const { signal } = this.#closing;
    try {
      const facts = await this.#client.call<MachineFacts | null>("find", { vmHash }, signal);
      if (facts?.launchId === launchId) await this.#client.call("kill", { vmHash }, signal);
    } catch (error) {
      if (!signal.aborted && !(error instanceof HypervisorError && error.code === "NOT_RUNNING")) {
        this.#options.log.warn("a machine that nobody waits for could not be ended", { vmHash, error });
      }
    }
  }
}
