import { rmSync } from "node:fs";
import { raceAbort } from "@twentysix/platform";
import { HypervisorError } from "../hypervisor/errors.ts";
import type { VmExit } from "../hypervisor/hypervisor.ts";
import type { HelperContext } from "./helper-context.ts";
import { runFolderOf } from "./helper-folders.ts";
import { bootId } from "./host-processes.ts";
import { type Launch, launchMachine } from "./launch-machine.ts";
import { Machine } from "./machine.ts";
import { checkSpec } from "./spec-check.ts";

const CHECK_MS = 200;
/** Every fifth check. */
const LOG_CHECKS = 5;
const ADOPTION_TIMEOUT_MS = 5_000;

interface PendingLaunch {
  readonly launchId: string;
  readonly vmNumber: number;
  readonly launch: Promise<Launch>;
}

/** All machines of a helper: those that it started, and those that it found. */
export class Machines {
  readonly #context: HelperContext;
  readonly #machines = new Map<string, Machine>();
  readonly #launches = new Map<string, PendingLaunch>();
  readonly #onExit: (machine: Machine, exit: VmExit) => void;

  constructor(context: HelperContext, onExit: (machine: Machine, exit: VmExit) => void) {
    this.#context = context;
    this.#onExit = onExit;
  }

  /** Finds what an earlier helper started. What had not begun to run is ended: whoever asked for it asks again. */
  async adopt(signal: AbortSignal): Promise<void> {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(ADOPTION_TIMEOUT_MS)]);
    const records = this.#context.records.readAll(bootId());
    this.#context.leases.keepOnly(new Set(records.map(({ spec }) => spec.vmHash)));
    const found = records.map((record) => this.#watch(new Machine(record, this.#context, null)));
    await Promise.all(
      found.map(async (machine) => {
        const { phase, spec } = machine.record;
        if (phase === "starting") machine.end("failed");
        machine.check();
        try {
          if (phase === "starting") await raceAbort(machine.exited, limit);
          else if (!machine.isEnding) await machine.connect(limit);
        } catch (error) {
          this.#context.log.warn("a machine that was found does not answer", { vmHash: spec.vmHash, error });
        }
      }),
    );
  }

  /** Leases, ends and logs; until the signal aborts. */
  watch(signal: AbortSignal): Promise<void> {
    let checks = 0;
    const { timers, log } = this.#context;
    return timers.every(
      CHECK_MS,
      () => {
        checks += 1;
        if (checks % LOG_CHECKS === 0) this.#context.leases.ensure();
        for (const machine of this.#machines.values()) {
          machine.check();
          if (checks % LOG_CHECKS === 0) machine.limitLogs();
        }
      },
      { signal, onError: (error) => log.error("a machine could not be looked after", { error }) },
    );
  }

  list(): readonly Machine[] {
    return [...this.#machines.values()].filter(({ record }) => record.phase === "running");
  }

  /** One that is being started is waited for: whoever asks is not told that there is none. */
  async find(vmHash: string): Promise<Machine | null> {
    const pending = this.#launches.get(vmHash);
    if (pending !== undefined) await settled(pending.launch).catch(() => null);
    const machine = this.#machines.get(vmHash);
    return machine?.record.phase === "running" ? machine : null;
  }

  /** @throws HypervisorError NOT_RUNNING */
  get(vmHash: string): Machine {
    const machine = this.#machines.get(vmHash);
    if (machine === undefined) throw new HypervisorError("NOT_RUNNING", `${vmHash} does not run here`);
    return machine;
  }

  /**
   * Idempotent for one launch: asked again, it gives the machine of the first time.
   *
   * @throws HypervisorError SPEC_INVALID, ALREADY_RUNNING, START_FAILED
   */
  async launch(parameters: unknown, launchId: string, signal: AbortSignal): Promise<Machine> {
    const spec = checkSpec(parameters);
    const present = this.#launches.get(spec.vmHash);
    if (present?.launchId === launchId) return await settled(present.launch);
    const machine = this.#machines.get(spec.vmHash);
    if (machine?.record.launchId === launchId) return machine;
    this.#assertFree(spec.vmHash, spec.vmNumber);
    const launch = launchMachine(spec, launchId, this.#context, signal).then((result) => {
      this.#watch(result.machine);
      return result;
    });
    this.#launches.set(spec.vmHash, { launchId, vmNumber: spec.vmNumber, launch });
    try {
      return await settled(launch);
    } finally {
      this.#launches.delete(spec.vmHash);
    }
  }

  /** Lets go of all machines, which run on. */
  release(): void {
    for (const machine of this.#machines.values()) machine.release();
  }

  /** Removes the logs of a machine that has ended. @throws HypervisorError ALREADY_RUNNING */
  forget(vmHash: string): void {
    if (this.#machines.has(vmHash) || this.#launches.has(vmHash)) {
      throw new HypervisorError("ALREADY_RUNNING", `${vmHash} still runs: stop it first`);
    }
    rmSync(runFolderOf(this.#context.dir, vmHash), { recursive: true, force: true });
    this.#context.records.forget(vmHash);
  }

  #assertFree(vmHash: string, vmNumber: number): void {
    if (this.#machines.has(vmHash) || this.#launches.has(vmHash)) {
      throw new HypervisorError("ALREADY_RUNNING", `${vmHash} runs already`);
    }
    const holders = [...this.#machines.values()].map(({ record }) => record.spec.vmNumber);
    const starting = [...this.#launches.values()].map((launch) => launch.vmNumber);
    if ([...holders, ...starting].includes(vmNumber)) {
      throw new HypervisorError("ALREADY_RUNNING", `number ${vmNumber} belongs to another machine that runs`);
    }
  }

  #watch(machine: Machine): Machine {
    const { vmHash } = machine.record.spec;
    this.#machines.set(vmHash, machine);
    void machine.exited.then((exit) => {
      this.#machines.delete(vmHash);
      this.#onExit(machine, exit);
    });
    return machine;
  }
}

async function settled(launch: Promise<Launch>): Promise<Machine> {
  const { machine, running } = await launch;
  await running;
  return machine;
}
