import { raceAbort } from "@twentysix/platform";
import type { RunningVm } from "../hypervisor/hypervisor.ts";
import type { VmMessage } from "../messages/core-node-client.ts";
import type { MappedPort, VmNetwork } from "../networking/vm-network.ts";
import { ExecutionError } from "./errors.ts";
import type { Execution, ExecutionReason } from "./execution.ts";
import type { ExecutionStore } from "./execution-store.ts";
import type { Executions, HeldMachine, StartOptions } from "./executions.ts";
import { createHeldMachine } from "./held-machine.ts";
import type { LifeCycle } from "./life-cycle.ts";
import type { Restarts } from "./restarts.ts";
import type { VmQueues } from "./vm-queues.ts";

export interface ExecutionManagerParts {
  readonly store: ExecutionStore;
  readonly queues: VmQueues;
  readonly lifeCycle: LifeCycle;
  readonly restarts: Restarts;
  /** Looks at the host before room is given, which happens at once then. */
  readonly admission: {
    measure(): Promise<void>;
    assertFits(content: Execution["content"], owner: string, vmHash: string | null): void;
    consume(owner: string): void;
  };
  /** @throws ExecutionError REQUIREMENTS_NOT_MET, UNSUPPORTED */
  readonly assertRequirements: (content: Execution["content"]) => void;
  readonly networkOf: (vmHash: string) => VmNetwork | null;
  readonly portsOf: (vmHash: string) => readonly MappedPort[];
}

/** Everything that changes machines of this node: see `Executions`. */
export class ExecutionManager implements Executions {
  readonly #parts: ExecutionManagerParts;
  readonly #starts = new Map<string, Promise<Execution>>();

  constructor(parts: ExecutionManagerParts) {
    this.#parts = parts;
  }

  get(vmHash: string): Execution | null {
    return this.#parts.store.get(vmHash);
  }

  list(): readonly Execution[] {
    return this.#parts.store.list();
  }

  records(limit: number): Iterable<Execution> {
    return this.#parts.store.records(limit);
  }

  running(vmHash: string): RunningVm | null {
    return this.#parts.lifeCycle.vms.get(vmHash) ?? null;
  }

  network(vmHash: string): VmNetwork | null {
    return this.#parts.networkOf(vmHash);
  }

  ports(vmHash: string): readonly MappedPort[] {
    return this.#parts.portsOf(vmHash);
  }

  async ensureRunning(message: VmMessage, options: StartOptions, signal: AbortSignal): Promise<Execution> {
    const vmHash = message.itemHash;
    const present = this.#parts.store.get(vmHash);
    if (present?.state === "running" && present.desired === "running") return this.#adjust(present, options);
    const joined = this.#starts.get(vmHash);
    if (joined !== undefined) {
      if (present !== null) this.#adjust(present, options);
      return raceAbort(joined, signal);
    }
    if (options.source !== "owner") this.#parts.restarts.assertAllowed(vmHash);
    this.#assertFree(vmHash);
    return this.#start(vmHash, signal, () => this.#admit(message, options));
  }

  async stop(vmHash: string, reason: ExecutionReason | null, signal: AbortSignal): Promise<Execution> {
    const { store, queues, lifeCycle, restarts } = this.#parts;
    store.require(vmHash);
    this.#assertFree(vmHash);
    this.#interruptStart(vmHash, "the machine is being stopped");
    const stopped = queues.run(vmHash, "stop", async (stopping) => {
      restarts.forget(vmHash);
      store.change(vmHash, { desired: "stopped" });
      await lifeCycle.bringDown(vmHash, reason, stopping);
      return store.require(vmHash);
    });
    return raceAbort(stopped, signal);
  }

  async reboot(vmHash: string, signal: AbortSignal): Promise<Execution> {
    const { store, lifeCycle, restarts } = this.#parts;
    const { owner, content } = store.require(vmHash);
    this.#assertFree(vmHash);
    this.#interruptStart(vmHash, "the machine is being rebooted");
    return this.#start(vmHash, signal, async (starting) => {
      restarts.forget(vmHash);
      await lifeCycle.bringDown(vmHash, null, starting);
      await this.#takeRoom(vmHash, owner, content);
    });
  }

  async reinstall(
    vmHash: string,
    { erasesVolumes }: { readonly erasesVolumes: boolean },
    signal: AbortSignal,
  ): Promise<Execution> {
    const { store, lifeCycle, restarts } = this.#parts;
    const { owner, content, mode } = store.require(vmHash);
    this.#assertFree(vmHash);
    if (mode === "rescue") throw inRescue(vmHash);
    this.#interruptStart(vmHash, "the machine is being made anew");
    return this.#start(vmHash, signal, async (starting) => {
      restarts.forget(vmHash);
      await lifeCycle.bringDown(vmHash, null, starting);
      await lifeCycle.wipe(vmHash, erasesVolumes, starting);
      store.resolve(vmHash, null);
      await this.#takeRoom(vmHash, owner, content);
    });
  }

  async erase(vmHash: string, reason: ExecutionReason | null, signal: AbortSignal): Promise<void> {
    const { store, queues, restarts } = this.#parts;
    store.require(vmHash);
    const interruption = new ExecutionError("BUSY", `machine ${vmHash} is being erased`);
    this.#starts.delete(vmHash);
    queues.interrupt(vmHash, ["start", "hold", "other"], interruption);
    const erased = queues.run(vmHash, "erase", async (erasing) => {
      if (store.get(vmHash) !== null) await restarts.erase(vmHash, reason, erasing);
    });
    return raceAbort(erased, signal);
  }

  async exclusively<Result>(
    vmHash: string,
    what: string,
    work: (machine: HeldMachine) => Promise<Result>,
  ): Promise<Result> {
    const { store, queues, lifeCycle, restarts } = this.#parts;
    store.require(vmHash);
    if (!queues.isIdle(vmHash)) {
      throw new ExecutionError(
        "BUSY",
        `something else is done to machine ${vmHash}, so there is no ${what} now; try again when it has ended`,
      );
    }
    return queues.run(vmHash, "hold", async (signal) => {
      const held = createHeldMachine(vmHash, { store, lifeCycle, restarts }, signal);
      try {
        return await work(held.machine);
      } finally {
        held.end();
      }
    });
  }

  async defineImport(message: VmMessage, options: StartOptions): Promise<Execution> {
    const { store, admission, assertRequirements } = this.#parts;
    if (store.get(message.itemHash) !== null) {
      throw new ExecutionError("BUSY", "VM already running on this host");
    }
    assertRequirements(message.content);
    await admission.measure();
    admission.assertFits(message.content, message.content.address, message.itemHash);
    return store.define(definitionOf(message, options, "importing"));
  }

  /** One start at a time for a machine: those who ask meanwhile get its outcome. */
  #start(
    vmHash: string,
    signal: AbortSignal,
    before: (signal: AbortSignal) => Promise<void>,
  ): Promise<Execution> {
    const { store, queues, lifeCycle, restarts } = this.#parts;
    const started = queues.run(vmHash, "start", async (starting) => {
      await restarts.counted(vmHash, starting, async () => {
        await before(starting);
        if (store.require(vmHash).state !== "running") await lifeCycle.bringUp(vmHash, starting);
      });
      return store.require(vmHash);
    });
    this.#starts.set(vmHash, started);
    const forget = (): void => {
      if (this.#starts.get(vmHash) === started) this.#starts.delete(vmHash);
    };
    // Whoever waits sees the failure; the machine's row has it for everybody else.
    started.then(forget, forget);
    return raceAbort(started, signal);
  }

  async #admit(message: VmMessage, options: StartOptions): Promise<void> {
    const { store, admission, assertRequirements } = this.#parts;
    const vmHash = message.itemHash;
    const owner = message.content.address;
    const present = store.get(vmHash);
    if (present?.state === "running") return;
    assertMovable(present);
    assertRequirements(message.content);
    if (present !== null) {
      await this.#takeRoom(vmHash, owner, message.content);
      store.change(vmHash, keeperOf(present, options));
      return;
    }
    await admission.measure();
    admission.assertFits(message.content, owner, vmHash);
    store.define(definitionOf(message, options, "defined"));
    admission.consume(owner);
  }

  /** From here on the machine shall run: its needs are counted. */
  async #takeRoom(vmHash: string, owner: string, content: Execution["content"]): Promise<void> {
    const { store, admission } = this.#parts;
    await admission.measure();
    admission.assertFits(content, owner, vmHash);
    store.change(vmHash, { desired: "running" });
    admission.consume(owner);
  }

  /** A machine that runs is kept by whoever wants it longest. */
  #adjust(present: Execution, { source, isPersistent }: StartOptions): Execution {
    if (!isPersistent || present.isPersistent) return present;
    return this.#parts.store.change(present.vmHash, { isPersistent, source });
  }

  #interruptStart(vmHash: string, why: string): void {
    this.#starts.delete(vmHash);
    this.#parts.queues.interrupt(vmHash, ["start"], new ExecutionError("BUSY", why));
  }

  /** @throws ExecutionError BUSY */
  #assertFree(vmHash: string): void {
    const { store, queues } = this.#parts;
    assertMovable(store.get(vmHash));
    if (queues.has(vmHash, "hold") || queues.has(vmHash, "erase")) {
      const text = `a backup, restore, migration, rescue or erasure of machine ${vmHash} is on its way; try again later`;
      throw new ExecutionError("BUSY", text);
    }
  }
}

/**
 * Whose machine it is once it is started again. One that a scheduler has placed stays the scheduler's, whoever starts
 * it: its leases need that one's word. Where the scheduler may have moved it, a visit is no reason to keep it alive.
 */
function keeperOf(
  present: Execution,
  { source, isPersistent }: StartOptions,
): Pick<Execution, "source" | "isPersistent"> {
  const isPlaced = present.isPersistent && present.source === "scheduler";
  const code = present.reason?.code ?? null;
  const isKept = present.isPersistent && present.desired === "running";
  if (isPersistent)
    return { isPersistent, source: isPlaced && code !== "NOT_ALLOCATED" ? "scheduler" : source };
  if (!isKept || (isPlaced && code === "LEASE_EXPIRED")) return { isPersistent, source };
  return { isPersistent: true, source: present.source };
}

function assertMovable(execution: Execution | null): void {
  if (execution?.desired === "gone") {
    throw new ExecutionError("BUSY", `machine ${execution.vmHash} is being erased`);
  }
  if (execution?.state !== "exporting" && execution?.state !== "importing") return;
  throw new ExecutionError("BUSY", `machine ${execution.vmHash} is being moved (${execution.state})`);
}

function inRescue(vmHash: string): ExecutionError {
  return new ExecutionError("BUSY", `machine ${vmHash} is in rescue mode; end it first`);
}

function definitionOf(
  message: VmMessage,
  { source, isPersistent }: StartOptions,
  state: "defined" | "importing",
): Parameters<ExecutionStore["define"]>[0] {
  const { itemHash: vmHash, type, content } = message;
  const kind = type === "INSTANCE" ? "instance" : "program";
  return { vmHash, kind, isPersistent, source, owner: content.address, content, state };
}
