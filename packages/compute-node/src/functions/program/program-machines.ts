import { stat } from "node:fs/promises";
import { type Logger, PlatformError } from "@twentysix/platform";
import { ExecutionError } from "../../executions/errors.ts";
import type { Execution } from "../../executions/execution.ts";
import { qemuArguments } from "../../hypervisor/command-line/qemu-arguments.ts";
import { diskRate } from "../../hypervisor/disk-rate.ts";
import type { Hypervisor, RunningVm } from "../../hypervisor/hypervisor.ts";
import type { NetworkSpec, VmSpec } from "../../hypervisor/vm-spec.ts";
import type { HostImages } from "../../images/images.ts";
import { FUNCTION_MAC_ADDRESS } from "../../networking/vm-names.ts";
import type { VmNetwork } from "../../networking/vm-network.ts";
import { templateKey } from "../templates/template-key.ts";
import type { TemplateMaker } from "../templates/template-maker.ts";
import type { TemplateStore } from "../templates/template-store.ts";
import type { Greeting } from "./guest-greeting.ts";
import { lastWords, ranOwnInit } from "./last-words.ts";
import { orderedDrives, type PlacedDrives, type ProgramDrive, slotDrives } from "./program-disks.ts";
import type { ProgramFiles } from "./program-files.ts";

export interface ProgramMachinesServices {
  readonly hypervisor: Hypervisor;
  readonly images: HostImages;
  readonly templates: TemplateStore;
  readonly maker: TemplateMaker;
  readonly hostBootId: string;
  readonly settings: {
    readonly leaseMs: number | null;
    readonly initTimeoutMs: number;
    readonly usesTemplates: boolean;
    readonly prefersOwnInit: boolean;
    /** null: disks are not limited. */
    readonly diskBytesPerSecondPerVcpu: number | null;
  };
  readonly log: Logger;
}

export interface LaunchRequest {
  readonly execution: Execution;
  readonly files: ProgramFiles;
  readonly drives: readonly ProgramDrive[];
  readonly network: VmNetwork | null;
  /** Of the program's disks. */
  readonly folder: string;
}

/** A machine whose guest waits for its configuration. */
export interface LaunchedMachine {
  readonly vm: RunningVm;
  readonly greeting: Greeting;
  readonly placed: PlacedDrives;
  readonly way: "resumed" | "booted";
}

/** @param timeoutMs until the guest has greeted; @param hasVsock the machine waits to be let go on */
type Greet = (
  vm: RunningVm,
  given: { readonly timeoutMs: number; readonly hasVsock: boolean },
  signal: AbortSignal,
) => Promise<Greeting>;
type Blueprint = Omit<VmSpec, "vmHash" | "vmNumber" | "snapshot" | "leaseMs">;

/** A machine that was booted once already greets within a second or so; one that does not is booted instead. */
const RESUME_TIMEOUT_MS = 20_000;

/** Translated code of up to 256 MiB is among it, where guests are emulated. */
const LIMITS = { overheadMib: 512, maxProcesses: 64 };
const CHANNEL = "aleph.52";
const OWN_INIT = "twentysix.init=own";
const MAX_KNOWN_RUNTIMES = 1_024;

/** Starts machines of programs: resumed from a template of their shape, or booted, which asks for such a template. */
export class ProgramMachines {
  readonly #services: ProgramMachinesServices;
  /** Runtimes that our agent has answered for, by the SHA-256 of their image: their machines need no vsock. */
  readonly #ofAgent = new Set<string>();

  constructor(services: ProgramMachinesServices) {
    this.#services = services;
  }

  /** @throws ExecutionError HYPERVISOR_FAILED, GUEST_INIT_FAILED */
  async launch(request: LaunchRequest, greet: Greet, signal: AbortSignal): Promise<LaunchedMachine> {
    const { templates, maker, settings, hypervisor } = this.#services;
    const { files, drives, folder } = request;
    const mayBeOwn = hypervisor.capabilities().hasVsock && !this.#ofAgent.has(files.runtime.sha256);
    const ordered = orderedDrives(files.runtime.path, drives);
    const placed = settings.usesTemplates
      ? await slotDrives(files.runtime.path, drives, await templates.placeholder(), folder)
      : null;
    if (placed === null) return await this.#boot(request, ordered, mayBeOwn, greet, signal);
    const blueprint = await this.#blueprint(request);
    const key = await this.#keyOf(request, blueprint);
    // A template was made of a machine of our agent.
    const mayResume = !(mayBeOwn && settings.prefersOwnInit);
    const resumed = mayResume ? await this.#resume(key, request, placed, greet, signal) : null;
    if (resumed !== null) return resumed;
    const launched = await this.#boot(request, mayBeOwn ? ordered : placed, mayBeOwn, greet, signal);
    if (launched.greeting.kind === "agent") maker.request(key, blueprint);
    return launched;
  }

  /** @param mayBeOwn it gets a vsock device, for the init of its runtime where our agent does not run */
  async #boot(
    request: LaunchRequest,
    placed: PlacedDrives,
    mayBeOwn: boolean,
    greet: Greet,
    signal: AbortSignal,
  ): Promise<LaunchedMachine> {
    const { hypervisor, settings } = this.#services;
    const spec = this.#specOf(request, placed, null);
    const vm = await this.#start(mayBeOwn ? this.#withVsock(spec) : spec, signal);
    const timeoutMs = settings.initTimeoutMs * Math.max(1, hypervisor.capabilities().slowness);
    const greeting = await this.#greet(vm, { timeoutMs, hasVsock: mayBeOwn }, greet, signal);
    if (greeting.kind === "agent") this.#noteAgent(request.files.runtime.sha256);
    return { vm, greeting, placed, way: "booted" };
  }

  #withVsock(spec: VmSpec): VmSpec {
    const { kernel } = spec;
    const isAsked = this.#services.settings.prefersOwnInit && kernel !== null;
    return { ...spec, hasVsock: true, kernel: isAsked ? { ...kernel, arguments: [OWN_INIT] } : kernel };
  }

  #noteAgent(runtimeSha256: string): void {
    if (this.#ofAgent.size >= MAX_KNOWN_RUNTIMES) this.#ofAgent.clear();
    this.#ofAgent.add(runtimeSha256);
  }

  /** null: there is no template, or it was of no use and is gone. */
  async #resume(
    key: string,
    request: LaunchRequest,
    placed: PlacedDrives,
    greet: Greet,
    signal: AbortSignal,
  ): Promise<LaunchedMachine | null> {
    const { templates, log } = this.#services;
    const folder = await templates.find(key);
    if (folder === null) return null;
    try {
      const vm = await this.#start(this.#specOf(request, placed, { kind: "resume", folder }), signal);
      const given = { timeoutMs: RESUME_TIMEOUT_MS, hasVsock: false };
      return { vm, greeting: await this.#greet(vm, given, greet, signal), placed, way: "resumed" };
    } catch (error) {
      signal.throwIfAborted();
      log.warn("a machine did not continue from its template, which is made anew", { key, error });
      await templates.drop(key);
      return null;
    }
  }

  async #start(spec: VmSpec, signal: AbortSignal): Promise<RunningVm> {
    try {
      return await this.#services.hypervisor.start(spec, signal);
    } catch (error) {
      signal.throwIfAborted();
      const message = error instanceof Error ? error.message : String(error);
      throw new ExecutionError("HYPERVISOR_FAILED", `The machine was not started: ${message}`, {
        cause: error,
      });
    }
  }

  async #greet(
    vm: RunningVm,
    given: Parameters<Greet>[1],
    greet: Greet,
    signal: AbortSignal,
  ): Promise<Greeting> {
    try {
      return await greet(vm, given, signal);
    } catch (error) {
      await vm.kill();
      signal.throwIfAborted();
      const { vsock } = this.#services.hypervisor.capabilities().missing;
      const hint = vsock !== undefined && ranOwnInit(vm.runDir) ? `; its own init needs vsock: ${vsock}` : "";
      const words = `${lastWords(vm.runDir)}${hint}`;
      const isLate = error instanceof PlatformError && error.code === "TIMEOUT";
      const why = isLate
        ? "it did not boot in its time"
        : error instanceof Error
          ? error.message
          : String(error);
      throw new ExecutionError("GUEST_INIT_FAILED", `The runtime did not start: ${why}${words}`, {
        cause: error,
      });
    }
  }

  #specOf(request: LaunchRequest, placed: PlacedDrives, snapshot: VmSpec["snapshot"]): VmSpec {
    const { execution, network } = request;
    return {
      ...this.#shapeOf(request),
      vmHash: execution.vmHash,
      vmNumber: execution.vmNumber,
      drives: placed.specs,
      network: network?.spec ?? { kind: "none" },
      snapshot,
      leaseMs: this.#services.settings.leaseMs,
    };
  }

  #shapeOf({
    execution,
  }: LaunchRequest): Pick<
    VmSpec,
    "machine" | "vcpus" | "memoryMib" | "kernel" | "channels" | "hasVsock" | "limits"
  > {
    const { vcpus, memory } = execution.content.resources;
    const diskBytesPerSecond = diskRate(this.#services.settings.diskBytesPerSecondPerVcpu, { vcpus });
    return {
      machine: "microvm",
      vcpus,
      memoryMib: memory,
      kernel: { ...this.#services.images, arguments: [] },
      channels: [CHANNEL],
      hasVsock: false,
      limits: { ...LIMITS, diskBytesPerSecond },
    };
  }

  /** The machine that a template of this shape is made of: nothing of the program is in it. */
  async #blueprint(request: LaunchRequest): Promise<Blueprint> {
    const placeholder = await this.#services.templates.placeholder();
    const placed = await slotDrives(request.files.runtime.path, [], placeholder, request.folder);
    if (placed === null) throw new Error("a template without drives has no place for them");
    // A card without a wire: where it leads is said when the machine continues.
    const network: NetworkSpec =
      request.network === null
        ? { kind: "none" }
        : { kind: "user", macAddress: FUNCTION_MAC_ADDRESS, hasInternet: false, forwards: [] };
    // Nobody's program runs in it: it is the node that writes its memory.
    const limits = { ...LIMITS, diskBytesPerSecond: null };
    return { ...this.#shapeOf(request), drives: placed.specs, network, limits };
  }

  async #keyOf({ execution, files }: LaunchRequest, blueprint: Blueprint): Promise<string> {
    const { images, hypervisor, hostBootId } = this.#services;
    const { vcpus, memory } = execution.content.resources;
    const { accelerator } = hypervisor.capabilities();
    return templateKey({
      runtimeSha256: files.runtime.sha256,
      vcpus,
      memoryMib: memory,
      images: [await fingerprint(images.kernelPath), await fingerprint(images.initrdPath)],
      accelerator,
      commandLine: commandLineOf(blueprint, accelerator),
      hostBootId,
    });
  }
}

/** Images are replaced as a whole, under the same name where an operator keeps them there. */
async function fingerprint(path: string): Promise<string> {
  const { size, mtimeMs } = await stat(path);
  return `${path} ${size} ${mtimeMs}`;
}

/** With numbers in place of its files and of what only its host knows. */
function commandLineOf(blueprint: Blueprint, accelerator: "kvm" | "tcg"): readonly string[] {
  const spec: VmSpec = {
    ...blueprint,
    vmHash: "template",
    vmNumber: 0,
    snapshot: { kind: "template", folder: "/" },
    leaseMs: null,
  };
  const files = {
    kernel: 3,
    initrd: 4,
    drives: blueprint.drives.map((_, index) => ({ file: 5 + index, backing: null })),
    serialLog: 20,
    memory: 21,
  };
  return qemuArguments(spec, files, { accelerator, tscKhz: null });
}
