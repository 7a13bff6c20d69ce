import { createDeferred, type Deferred } from "@twentysix/platform";
import { ExecutionError } from "../../src/executions/errors.ts";
import type { Execution } from "../../src/executions/execution.ts";
import type { VmRunner } from "../../src/executions/vm-runner.ts";
import type { Hypervisor, RunningVm, VmExit } from "../../src/hypervisor/hypervisor.ts";

/**
 * Stands in for processes of machines, to show the logic of states alone: its "processes" outlive the node that started
 * them, as real ones do, and it remembers whenever two things were done to one machine at once.
 */
export class FakeHost {
  readonly processes = new Map<string, FakeVm>();
  readonly disks = new Set<string>();
  readonly prepared: string[] = [];
  /** Broken promises: two calls for one machine at once, a second process of one machine. */
  readonly violations: string[] = [];
  readonly #busy = new Set<string>();
  /** Called before each step: may wait, throw, or crash the node. */
  before: (step: string, vmHash: string, signal: AbortSignal) => Promise<void> = async () => {};
  /** Of confidential machines that are prepared. */
  awaitsOwner: (execution: Execution) => Promise<boolean> = async () => false;
  /** Answers for QEMU. */
  qmp: (command: string, argumentsOf: object) => Promise<unknown> = () =>
    Promise.reject(new ExecutionError("UNSUPPORTED", "there is no QEMU"));
  #nextPid = 1_000;

  readonly hypervisor: Hypervisor = {
    capabilities: () => ({ accelerator: "tcg", missing: {}, hasVsock: false, slowness: 1 }),
    start: () => Promise.reject(new Error("runners start the machines of this test")),
    find: async (vmHash) => this.processes.get(vmHash) ?? null,
    list: async () => [...this.processes.values()],
    forget: async () => undefined,
  };

  /** Of the first node that uses this host. */
  readonly runner: VmRunner = this.attach(() => true);

  /** A runner as one node has it: what a node does after it died never happens. */
  attach(isAlive: () => boolean): VmRunner {
    const alone: typeof this.alone = async (step, execution, signal, work) => {
      if (!isAlive()) await new Promise(() => {});
      return this.alone(step, execution, signal, work);
    };
    return {
      prepare: (execution, signal) =>
        alone("prepare", execution, signal, async () => {
          this.disks.add(execution.vmHash);
          this.prepared.push(execution.vmHash);
        }),
      awaitsOwner: (execution) => this.awaitsOwner(execution),
      start: (execution, signal) =>
        alone("start", execution, signal, async () => this.launch(execution.vmHash, execution.vmNumber)),
      adopt: (execution, vm, signal) =>
        alone("adopt", execution, signal, async () => this.processes.get(execution.vmHash) === vm),
      stop: (execution, vm, signal) =>
        alone("stop", execution, signal, async () => {
          await (vm ?? this.processes.get(execution.vmHash))?.kill();
        }),
      wipe: (execution, _options, signal) =>
        alone("wipe", execution, signal, async () => void this.disks.delete(execution.vmHash)),
      erase: (execution, signal) =>
        alone("erase", execution, signal, async () => void this.disks.delete(execution.vmHash)),
    };
  }

  launch(vmHash: string, vmNumber: number): FakeVm {
    if (this.processes.has(vmHash)) this.violations.push(`second process of ${vmHash}`);
    const vm = new FakeVm(vmHash, vmNumber, this.#nextPid, () => this.processes.delete(vmHash));
    vm.answer = (command, argumentsOf) => this.qmp(command, argumentsOf);
    this.#nextPid += 1;
    this.processes.set(vmHash, vm);
    return vm;
  }

  /** The node that called is gone: what it was doing is never finished, and holds nothing. */
  forgetCallers(): void {
    this.#busy.clear();
  }

  async alone<Result>(
    step: string,
    { vmHash }: Execution,
    signal: AbortSignal,
    work: () => Promise<Result>,
  ): Promise<Result> {
    if (this.#busy.has(vmHash))
      this.violations.push(`${step} of ${vmHash} while something else is done to it`);
    this.#busy.add(vmHash);
    try {
      await this.before(step, vmHash, signal);
      return await work();
    } finally {
      this.#busy.delete(vmHash);
    }
  }
}

export class FakeVm implements RunningVm {
  readonly vmHash: string;
  readonly vmNumber: number;
  readonly pid: number;
  readonly startedAtMs = 0;
  readonly leaseEndsAtMs = null;
  runDir = "/nowhere";
  renewals = 0;
  readonly #exit: Deferred<VmExit> = createDeferred<VmExit>();
  readonly #onEnd: () => void;

  constructor(vmHash: string, vmNumber: number, pid: number, onEnd: () => void) {
    this.vmHash = vmHash;
    this.vmNumber = vmNumber;
    this.pid = pid;
    this.#onEnd = onEnd;
  }

  get exited(): Promise<VmExit> {
    return this.#exit.promise;
  }

  end(reason: VmExit["reason"], detail = "it ended"): VmExit {
    const exit = { reason, detail };
    this.#onEnd();
    this.#exit.resolve(exit);
    return exit;
  }

  async shutDown(): Promise<VmExit> {
    return this.end("stopped");
  }

  async kill(): Promise<VmExit> {
    return this.end("killed");
  }

  async renewLease(): Promise<void> {
    this.renewals += 1;
  }

  async reset(): Promise<void> {}
  async saveTemplate(): Promise<void> {}
  async setForwards(): Promise<void> {}
  answer: FakeHost["qmp"] = () => Promise.reject(new ExecutionError("UNSUPPORTED", "there is no QEMU"));

  qmp<Result>(command: string, argumentsOf: object): Promise<Result> {
    return this.answer(command, argumentsOf) as Promise<Result>;
  }
}
