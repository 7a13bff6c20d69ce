import { join } from "node:path";
import { raceAbort, type Timers } from "@twentysix/platform";
import type { MachineFacts } from "../helper/helper-protocol.ts";
import type { HelperCalls } from "../helper/host-parts.ts";
import { QMP_SOCKETS } from "./command-line/qemu-arguments.ts";
import { HypervisorError } from "./errors.ts";
import type { RunningVm, VmExit } from "./hypervisor.ts";
import { QmpClient } from "./qmp/qmp-client.ts";
import { saveTemplate } from "./save-template.ts";
import type { PortForward } from "./vm-spec.ts";

export interface HelperVmOptions {
  readonly facts: MachineFacts;
  readonly exited: Promise<VmExit>;
  readonly helper: HelperCalls;
  readonly timers: Timers;
}

/** Beyond the time that the guest has, until its end is told. */
const END_TIMEOUT_MS = 15_000;

/** A machine under the host helper. */
export class HelperVm implements RunningVm {
  readonly exited: Promise<VmExit>;
  readonly #facts: MachineFacts;
  readonly #helper: HelperCalls;
  readonly #timers: Timers;
  #leaseEndsAtMs: number | null;
  #qmp: Promise<QmpClient> | null = null;

  constructor({ facts, exited, helper, timers }: HelperVmOptions) {
    this.#facts = facts;
    this.#helper = helper;
    this.#timers = timers;
    this.#leaseEndsAtMs = facts.leaseEndsAtMs;
    this.exited = exited;
    void exited.then(() => this.#disconnect());
  }

  get vmHash(): string {
    return this.#facts.vmHash;
  }

  get vmNumber(): number {
    return this.#facts.vmNumber;
  }

  get pid(): number {
    return this.#facts.pid;
  }

  get startedAtMs(): number {
    return this.#facts.startedAtMs;
  }

  get leaseEndsAtMs(): number | null {
    return this.#leaseEndsAtMs;
  }

  get runDir(): string {
    return this.#facts.runDir;
  }

  async shutDown(graceMs: number, signal: AbortSignal): Promise<VmExit> {
    await this.#unlessGone(this.#helper.call("shutDown", { vmHash: this.vmHash, graceMs }, signal));
    const limit = AbortSignal.any([signal, AbortSignal.timeout(graceMs + END_TIMEOUT_MS)]);
    return await raceAbort(this.exited, limit);
  }

  async kill(): Promise<VmExit> {
    const limit = AbortSignal.timeout(END_TIMEOUT_MS);
    await this.#unlessGone(this.#helper.call("kill", { vmHash: this.vmHash }, limit));
    return await raceAbort(this.exited, limit);
  }

  async reset(signal: AbortSignal): Promise<void> {
    await this.qmp("system_reset", {}, signal);
  }

  async renewLease(signal: AbortSignal): Promise<void> {
    this.#leaseEndsAtMs = await this.#helper.call<number | null>("renew", { vmHash: this.vmHash }, signal);
  }

  async saveTemplate(signal: AbortSignal): Promise<void> {
    const { templateFolder } = this.#facts;
    if (templateFolder === null) {
      throw new HypervisorError("TEMPLATE_FAILED", `${this.vmHash} was not started as a template`);
    }
    await saveTemplate(this, templateFolder, this.#timers, signal);
    const limit = AbortSignal.any([signal, AbortSignal.timeout(END_TIMEOUT_MS)]);
    await raceAbort(this.exited, limit);
  }

  async setForwards(forwards: readonly PortForward[], signal: AbortSignal): Promise<void> {
    await this.#helper.call("setForwards", { vmHash: this.vmHash, forwards }, signal);
  }

  async qmp<Result>(
    command: string,
    argumentsOf: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
  ): Promise<Result> {
    const client = await this.#connected(signal);
    return await client.execute<Result>(command, argumentsOf, signal);
  }

  async #connected(signal: AbortSignal): Promise<QmpClient> {
    const present = await this.#qmp?.catch(() => null);
    if (present?.isOpen) return present;
    const path = join(this.runDir, QMP_SOCKETS.node);
    this.#qmp = QmpClient.connect({ path, timers: this.#timers }, signal);
    return await this.#qmp;
  }

  #disconnect(): void {
    void this.#qmp?.then(
      (client) => client.close(),
      () => undefined,
    );
  }

  /** A machine that has ended by itself meanwhile is what was asked for. */
  async #unlessGone(request: Promise<unknown>): Promise<void> {
    try {
      await request;
    } catch (error) {
      if (!(error instanceof HypervisorError && error.code === "NOT_RUNNING")) throw error;
    }
  }
}
