import { rm } from "node:fs/promises";
import { type Clock, type Logger, type Random, raceAbort, type Timers } from "@twentysix/platform";
import type { ProgramContent } from "@twentysix/protocol";
import { ExecutionError } from "../../executions/errors.ts";
import type { Execution } from "../../executions/execution.ts";
import { vmKindOf } from "../../executions/vm-kind.ts";
import type { VmRunner } from "../../executions/vm-runner.ts";
import type { Hypervisor, RunningVm } from "../../hypervisor/hypervisor.ts";
import type { FileCache, HostImages } from "../../images/images.ts";
import type { VmNetwork, VmNetworkRequest, VmNetworks } from "../../networking/vm-network.ts";
import type { FunctionObserver } from "../function-observer.ts";
import type { GuestApi } from "../guest-api/guest-api.ts";
import type { HeldGuest, RunningGuests } from "../guests/running-guests.ts";
import { TemplateMaker } from "../templates/template-maker.ts";
import type { TemplateStore } from "../templates/template-store.ts";
import { TransportError } from "../transport/errors.ts";
import type { GuestConnection } from "../transport/guest-connection.ts";
import { dismiss } from "./guest-greeting.ts";
import { GuestLinks } from "./guest-links.ts";
import { keepingLease } from "./keeping-lease.ts";
import { lastWords } from "./last-words.ts";
import { ensureProgramDrives, type ProgramDrive, programFolder, removePassing } from "./program-disks.ts";
import { acquireProgramFiles, type ProgramFiles } from "./program-files.ts";
import { ProgramMachines } from "./program-machines.ts";
import { type ProgramPlan, planProgram } from "./program-plan.ts";

export interface ProgramRunnerSettings {
  /** Until the guest has booted, on hardware; multiplied by the slowness of the host. */
  readonly initTimeoutMs: number;
  /** Until the program serves, once it has been given to the guest; the same. */
  readonly setupTimeoutMs: number;
  /** Until a guest that is told to end has begun to. */
  readonly haltTimeoutMs: number;
  readonly dnsServers: readonly string[];
  /** null: a machine runs on without its node. */
  readonly leaseMs: number | null;
  readonly maxStreamsPerGuest: number;
  /** Machines continue from saved ones of their shape, which are made in the background. */
  readonly usesTemplates: boolean;
  /** Where machines may have vsock, the init of a runtime goes before our agent; else it runs where the agent cannot. */
  readonly prefersOwnInit: boolean;
  /** null: disks are not limited. */
  readonly diskBytesPerSecondPerVcpu: number | null;
}

export const DEFAULT_PROGRAM_SETTINGS: ProgramRunnerSettings = {
  initTimeoutMs: 20_000,
  setupTimeoutMs: 60_000,
  haltTimeoutMs: 5_000,
  dnsServers: ["9.9.9.9", "1.1.1.1"],
  leaseMs: null,
  maxStreamsPerGuest: 512,
  usesTemplates: true,
  prefersOwnInit: false,
  diskBytesPerSecondPerVcpu: null,
};

export interface ProgramRunnerServices {
  readonly computeDir: string;
  readonly hypervisor: Hypervisor;
  readonly networks: VmNetworks;
  readonly files: FileCache;
  readonly images: HostImages;
  /** Why the images cannot be booted now; null: they can. */
  readonly imagesProblem: () => string | null;
  readonly templates: TemplateStore;
  readonly hostBootId: string;
  readonly guests: RunningGuests;
  readonly guestApi: Pick<GuestApi, "serve" | "ended" | "erased">;
  /** The machine runs and cannot be spoken to: it is of no use. */
  readonly onLost: (vmHash: string, why: TransportError) => void;
  /** Whether this node still is the one to run its machines: only then are the leases of those that start renewed. */
  readonly hasContact: (execution: Execution) => boolean;
  readonly settings: ProgramRunnerSettings;
  readonly observer?: Pick<FunctionObserver, "started"> | undefined;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Logger;
}

/** What `prepare` has made. */
interface PreparedProgram {
  readonly plan: ProgramPlan;
  readonly files: ProgramFiles;
  readonly drives: readonly ProgramDrive[];
}

/** Machines of programs: from a template where there is one, booted where there is none. */
export class ProgramRunner implements VmRunner {
  readonly #services: ProgramRunnerServices;
  readonly #machines: ProgramMachines;
  readonly #maker: TemplateMaker;
  readonly #links: GuestLinks;
  readonly #prepared = new Map<string, PreparedProgram>();
  readonly #networks = new Map<string, VmNetwork>();

  constructor(services: ProgramRunnerServices) {
    this.#services = services;
    const timeoutMs = this.#slowed(services.settings.initTimeoutMs) + 60_000;
    this.#links = new GuestLinks(services);
    const connect = (vm: RunningVm, signal: AbortSignal): Promise<GuestConnection> =>
      this.#links.connect(vm, (stream) => stream.destroy(), signal);
    this.#maker = new TemplateMaker({ ...services, store: services.templates, connect, timeoutMs });
    this.#machines = new ProgramMachines({ ...services, maker: this.#maker });
  }

  /** null: it does not run, or has none. */
  network(vmHash: string): VmNetwork | null {
    return this.#networks.get(vmHash) ?? null;
  }

  /** Resolves when no template is being made. */
  whenTemplatesAreMade(): Promise<void> {
    return this.#maker.whenIdle();
  }

  /** Machines go on: the next node adopts them. */
  async close(): Promise<void> {
    await this.#maker.close();
    this.#services.guests.close();
  }

  async prepare(execution: Execution, signal: AbortSignal): Promise<void> {
    const { vmHash } = execution;
    this.#release(vmHash);
    const problem = this.#services.imagesProblem();
    if (problem !== null) throw new ExecutionError("HOST_IMAGES_MISSING", problem);
    const plan = planProgram(vmHash, resolvedContent(execution));
    const files = await acquireProgramFiles(plan, this.#services.files, signal);
    try {
      const drives = await ensureProgramDrives(this.#folder(vmHash), plan, files, signal);
      this.#prepared.set(vmHash, { plan, files, drives });
    } catch (error) {
      files.release();
      throw error;
    }
  }

  async start(execution: Execution, signal: AbortSignal): Promise<RunningVm> {
    const { vmHash, vmNumber } = execution;
    const prepared = this.#prepared.get(vmHash);
    if (prepared === undefined) {
      throw new ExecutionError("INVALID_STATE", `the program ${vmHash} is not prepared: start it again`);
    }
    const network = await this.#createNetwork(execution, signal);
    try {
      return await this.#launch(execution, prepared, network, signal);
    } catch (error) {
      if (network !== null) await this.#services.networks.remove(vmNumber, AbortSignal.timeout(CLEAN_UP_MS));
      throw error;
    }
  }

  async adopt(execution: Execution, vm: RunningVm, signal: AbortSignal): Promise<boolean> {
    const { vmHash } = execution;
    const { log } = this.#services;
    try {
      const guest = await this.#links.adopt(execution, vm, signal);
      if (guest === null) return false;
      const network = await this.#createNetwork(execution, signal);
      if (network !== null) this.#networks.set(vmHash, network);
      this.#hold(vm, guest);
      this.#services.observer?.started("adopted");
      return true;
    } catch (error) {
      signal.throwIfAborted();
      log.warn("the guest of a program that runs does not answer", { vmHash, error });
      return false;
    }
  }

  async stop(execution: Execution, vm: RunningVm | null, signal: AbortSignal): Promise<void> {
    const { guests, networks, guestApi } = this.#services;
    const { vmHash, vmNumber } = execution;
    const guest = guests.get(vmHash);
    if (vm !== null) {
      if (guest !== null) await this.#halt(guest, vm, signal);
      await vm.kill();
    }
    guests.remove(vmHash);
    await networks.remove(vmNumber, signal);
    this.#networks.delete(vmHash);
    guestApi.ended(execution);
    await removePassing(this.#folder(vmHash), planOrNothing(execution));
    this.#release(vmHash);
  }

  async wipe(execution: Execution, { erasesVolumes }: { readonly erasesVolumes: boolean }): Promise<void> {
    if (erasesVolumes) await rm(this.#folder(execution.vmHash), { recursive: true, force: true });
  }

  async erase(execution: Execution, signal: AbortSignal): Promise<void> {
    this.#release(execution.vmHash);
    this.#services.guestApi.erased(execution.vmHash);
    await rm(this.#folder(execution.vmHash), { recursive: true, force: true });
    await this.#services.hypervisor.forget(execution.vmHash, signal);
  }

  async #launch(
    execution: Execution,
    { plan, files, drives }: PreparedProgram,
    network: VmNetwork | null,
    signal: AbortSignal,
  ): Promise<RunningVm> {
    const { timers, settings, hasContact } = this.#services;
    const leases = { ...this.#services, hasContact: () => hasContact(execution) };
    const request = { execution, files, drives, network, folder: this.#folder(execution.vmHash) };
    const launched = await this.#machines.launch(
      request,
      (vm, { timeoutMs, hasVsock }, bounded) =>
        keepingLease(vm, leases, () =>
          timers.withTimeout(
            timeoutMs,
            (inner) => this.#links.greet(execution, vm, hasVsock, inner),
            bounded,
          ),
        ),
      signal,
    );
    const { vm, greeting, placed } = launched;
    const content = resolvedContent(execution);
    const { dnsServers } = settings;
    const parts = { vmHash: execution.vmHash, content, plan, files, drives, placed, network, dnsServers };
    try {
      const guest = await keepingLease(vm, leases, () =>
        timers.withTimeout(
          this.#slowed(settings.setupTimeoutMs),
          (bounded) => this.#links.configure(execution, vm, greeting, parts, bounded),
          signal,
        ),
      );
      if (network !== null) this.#networks.set(execution.vmHash, network);
      this.#hold(vm, guest);
    } catch (error) {
      dismiss(greeting);
      await vm.kill();
      signal.throwIfAborted();
      throw setupFailure(error, vm.runDir);
    }
    this.#services.observer?.started(launched.way);
    return vm;
  }

  #hold(vm: RunningVm, guest: HeldGuest): void {
    const { guests } = this.#services;
    const { vmHash } = vm;
    guests.add(guest);
    void vm.exited.then(() => {
      if (guests.get(vmHash) === guest) guests.remove(vmHash);
    });
  }

  /** Gives the program its time to end. Whatever it does, its machine is ended after that. */
  async #halt(guest: HeldGuest, vm: RunningVm, signal: AbortSignal): Promise<void> {
    const { timers, settings, log } = this.#services;
    const haltMs = Math.min(this.#slowed(settings.haltTimeoutMs), MAX_HALT_MS);
    try {
      await timers.withTimeout(haltMs, (bounded) => guest.halt(bounded), signal);
      await timers.withTimeout(haltMs, (bounded) => raceAbort(vm.exited, bounded), signal);
    } catch (error) {
      signal.throwIfAborted();
      log.debug("a program did not end in its time, and its machine is ended", { vmHash: vm.vmHash, error });
    }
  }

  async #createNetwork(execution: Execution, signal: AbortSignal): Promise<VmNetwork | null> {
    const { environment } = programContent(execution);
    if (!environment.internet) return null;
    const { vmHash, vmNumber } = execution;
    const request: VmNetworkRequest = {
      vmHash,
      vmNumber,
      kind: vmKindOf(execution),
      hasInternet: true,
      mappedPorts: [],
    };
    return await this.#services.networks.create(request, signal);
  }

  #release(vmHash: string): void {
    this.#prepared.get(vmHash)?.files.release();
    this.#prepared.delete(vmHash);
  }

  #folder(vmHash: string): string {
    return programFolder(this.#services.computeDir, vmHash);
  }

  #slowed(ms: number): number {
    return ms * Math.max(1, this.#services.hypervisor.capabilities().slowness);
  }
}

const CLEAN_UP_MS = 10_000;
const MAX_HALT_MS = 15_000;

function programContent({ vmHash, content }: Execution): ProgramContent {
  if ("code" in content) return content;
  throw new ExecutionError("UNSUPPORTED", `${vmHash} is an instance, and was given to what runs programs`);
}

function resolvedContent({ vmHash, resolved }: Execution): ProgramContent {
  if ("code" in resolved) return resolved;
  throw new ExecutionError("UNSUPPORTED", `${vmHash} is an instance, and was given to what runs programs`);
}

const NO_PLAN: ProgramPlan = {
  runtimeRef: "",
  code: { ref: "", isImage: false },
  dataRef: null,
  volumes: [],
  interface: "executable",
};

/** A program that could never be started leaves nothing behind that its plan would name. */
function planOrNothing(execution: Execution): ProgramPlan {
  try {
    return planProgram(execution.vmHash, programContent(execution));
  } catch (error) {
    if (error instanceof ExecutionError) return NO_PLAN;
    throw error;
  }
}

function setupFailure(error: unknown, runDir: string): ExecutionError {
  if (error instanceof ExecutionError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const isTold = error instanceof TransportError && error.code === "GUEST_REFUSED";
  const more = isTold ? (error.traceback === null ? "" : `\n${error.traceback}`) : lastWords(runDir);
  const text = `The program could not be set up: ${message}${more}`;
  return new ExecutionError("GUEST_SETUP_FAILED", text, { cause: error });
}
