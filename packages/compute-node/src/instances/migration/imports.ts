import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clock, Logger, Timers } from "@twentysix/platform";
import {
  type ImportJob,
  type ImportRequest,
  InstanceServiceError,
  type Started,
} from "../../control/instance-services.ts";
import type { Execution } from "../../executions/execution.ts";
import type { Executions, HeldMachine } from "../../executions/executions.ts";
import type { Fences } from "../../executions/fences.ts";
import type { CoreNodeClient, VmMessage } from "../../messages/core-node-client.ts";
import { exists } from "../../volumes/file-exists.ts";
import { persistentDisks } from "../disks/data-disks.ts";
import { expectSound, inspectImage } from "../disks/parent-image.ts";
import { unpackImage } from "../disks/qemu-img.ts";
import { type VmFolder, vmFolder } from "../disks/vm-folder.ts";
import { instanceContent } from "../instance-runner.ts";
import { downloadDisk } from "./download-disk.ts";
import { checkFiles, type ImportSource, importSource, ROOTFS, totalBytes } from "./import-request.ts";

export interface ImportServices {
  readonly computeDir: string;
  readonly executions: Executions;
  readonly messages: CoreNodeClient;
  readonly fences: Pick<Fences, "add">;
  /** In networks whose nodes have private addresses. */
  readonly allowsPrivateSources: boolean;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Logger;
}

const MIB = 1_048_576;
/**
 * Where its scheduler is not heard any more before it has said that the machine is here, its source may run it again
 * once the export is too old, half an hour after it was made: here it has ended by then.
 */
const ELSEWHERE_AFTER_MS = 900_000;
/** A job is told of so long after its end. Source: aleph-vm `src/aleph/vm/migration/jobs.py`. */
const KEPT_MS = 1_800_000;

/** Machines that come from another node. */
export class Imports {
  readonly #services: ImportServices;
  readonly #jobs = new Map<string, ImportJob>();
  readonly #running = new Set<Promise<void>>();
  readonly #closing = new AbortController();

  constructor(services: ImportServices) {
    this.#services = services;
  }

  /**
   * After a restart of the node: what was half here goes, the source still has it; what had arrived is here. Both are
   * told to who asks: the source waits for that.
   */
  async recover(): Promise<void> {
    for (const { vmHash, state } of this.#services.executions.list()) {
      if (state === "importing") {
        const error = "the node ended during the import";
        await this.#tryGiveUp(vmHash, error);
        this.#jobs.set(vmHash, { ...this.#newJob(vmHash), ...this.#ended("import_failed"), error });
      } else if (await exists(arrivalOf(vmFolder(this.#services.computeDir, vmHash)))) {
        this.#jobs.set(vmHash, { ...this.#newJob(vmHash), ...this.#ended("imported") });
      }
    }
  }

  async start(request: ImportRequest): Promise<Started<ImportJob>> {
    const { vmHash } = request;
    const known = this.job(vmHash);
    if (known !== null && known.state !== "import_failed") return { job: known, isNew: false };
    const { executions, allowsPrivateSources } = this.#services;
    const present = executions.get(vmHash);
    if (present !== null && present.state !== "gone") {
      throw new InstanceServiceError("BUSY", "VM already running on this host");
    }
    checkFiles(request);
    const source = await importSource(request, allowsPrivateSources);
    // The same may have been asked for while its source was looked up.
    const other = this.job(vmHash);
    if (other?.state === "importing") return { job: other, isNew: false };
    const totalBytesExpected = totalBytes(request.diskFiles);
    const job: ImportJob = { ...this.#newJob(vmHash), totalBytesExpected, currentStep: "fetching_message" };
    this.#jobs.set(vmHash, job);
    const work = this.#run(request, source).finally(() => this.#running.delete(work));
    this.#running.add(work);
    return { job, isNew: true };
  }

  /** null: there was none lately. One whose machine has left again says nothing: it would be taken for here. */
  job(vmHash: string): ImportJob | null {
    const job = this.#jobs.get(vmHash) ?? null;
    const isOver = job !== null && job.finishedAtMs !== null && this.#nowMs() - job.finishedAtMs > KEPT_MS;
    const hasLeft = job?.state === "imported" && this.#services.executions.get(vmHash) === null;
    if (!isOver && !hasLeft) return job;
    this.#jobs.delete(vmHash);
    return null;
  }

  /** Forgets jobs that ended long ago. */
  expire(): void {
    for (const vmHash of [...this.#jobs.keys()]) this.job(vmHash);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#running);
  }

  async #run(request: ImportRequest, source: ImportSource): Promise<void> {
    const { vmHash } = request;
    const { log } = this.#services;
    let execution: Execution | null = null;
    try {
      execution = await this.#define(vmHash);
      // Held until it is here: an erasure ends the import, and is not followed by it.
      await this.#services.executions.exclusively(vmHash, "import", (machine) =>
        this.#import(request, source, machine),
      );
      this.#change(vmHash, { ...this.#ended("imported"), currentStep: null });
    } catch (error) {
      log.warn("a machine could not be imported", { vmHash, error });
      const { message } = error as Error;
      // What was here before this import is not its to remove.
      if (execution !== null) await this.#tryGiveUp(vmHash, message);
      this.#change(vmHash, { ...this.#ended("import_failed"), error: message });
    }
  }

  /** From here on the machine is this import's. @throws ExecutionError BUSY when it is here already */
  async #define(vmHash: string): Promise<Execution> {
    const message = await this.#messageOf(vmHash, this.#closing.signal);
    const options = { source: "scheduler", isPersistent: true } as const;
    this.#services.fences.add(vmHash, ELSEWHERE_AFTER_MS);
    return this.#services.executions.defineImport(message, options);
  }

  async #import(request: ImportRequest, source: ImportSource, machine: HeldMachine): Promise<void> {
    const { computeDir } = this.#services;
    const signal = AbortSignal.any([this.#closing.signal, machine.signal]);
    const { vmHash } = request;
    const execution = machine.execution();
    const folder = vmFolder(computeDir, vmHash);
    await mkdir(folder.path, { recursive: true, mode: 0o750 });
    expectAllDisks(request, execution, folder);
    expectRoomFor(request, execution);
    await this.#download(request, source, folder, signal);
    this.#change(vmHash, { currentStep: "rebasing" });
    await putInPlace(request, execution, folder, signal);
    this.#change(vmHash, { currentStep: "creating_vm" });
    await writeFile(arrivalOf(folder), "", { mode: 0o600, flush: true });
    await machine.mark("stopped", null);
    await machine.start(signal);
  }

  async #messageOf(vmHash: string, signal: AbortSignal): Promise<VmMessage> {
    const message = await this.#services.messages.vmMessage(vmHash, signal);
    if (message === null) throw new Error(`no core node knows the message ${vmHash}`);
    if (message.type !== "INSTANCE") throw new Error(`${vmHash} is no instance`);
    if (message.status !== "processed" && message.status !== "removing") {
      throw new Error(`the message ${vmHash} is ${message.status}`);
    }
    return message;
  }

  async #download(
    request: ImportRequest,
    source: ImportSource,
    folder: VmFolder,
    signal: AbortSignal,
  ): Promise<void> {
    const { clock, timers } = this.#services;
    const { vmHash, exportToken } = request;
    this.#change(vmHash, { currentStep: "downloading_disks" });
    const startedMs = clock.monotonicMs();
    const onBytes = (bytes: number): void => {
      const { bytesDownloaded = 0 } = this.job(vmHash) ?? {};
      this.#change(vmHash, { bytesDownloaded: bytesDownloaded + bytes });
    };
    for (const file of request.diskFiles) {
      await downloadDisk(file, arrivedPath(folder, file.name), {
        source,
        exportToken,
        timers,
        onBytes,
        signal,
      });
    }
    this.#change(vmHash, { transferTimeMs: Math.round(clock.monotonicMs() - startedMs) });
  }

  /** Its removal goes on by itself when it fails now. */
  async #tryGiveUp(vmHash: string, why: string): Promise<void> {
    try {
      await this.#giveUp(vmHash, why);
    } catch (error) {
      this.#services.log.warn("what arrived of a machine could not be removed yet", { vmHash, error });
    }
  }

  async #giveUp(vmHash: string, why: string): Promise<void> {
    const { executions, computeDir } = this.#services;
    const execution = executions.get(vmHash);
    if (execution === null || execution.state === "gone") {
      await rm(vmFolder(computeDir, vmHash).path, { recursive: true, force: true });
      return;
    }
    const reason = { code: "IMPORT_FAILED", text: why, atMs: this.#nowMs() };
    await executions.erase(vmHash, reason, AbortSignal.timeout(ERASE_MS));
  }

  #newJob(vmHash: string): ImportJob {
    return {
      ...{ vmHash, state: "importing", startedAtMs: this.#nowMs(), finishedAtMs: null },
      ...{ bytesDownloaded: 0, totalBytesExpected: 0, currentStep: null, error: null, transferTimeMs: null },
    };
  }

  #ended(state: "imported" | "import_failed"): Pick<ImportJob, "state" | "finishedAtMs"> {
    return { state, finishedAtMs: this.#nowMs() };
  }

  #change(vmHash: string, change: Partial<ImportJob>): void {
    const job = this.#jobs.get(vmHash);
    if (job !== undefined) this.#jobs.set(vmHash, { ...job, ...change });
  }

  #nowMs(): number {
    return Number(this.#services.clock.nowMicros() / 1_000n);
  }
}

const ERASE_MS = 60_000;
const TABLE_SHARE = 1.05;

const arrivedPath = (folder: VmFolder, name: string): string => join(folder.path, `arrived-${name}`);

/** The source removes its disks once the machine is here: none may be missing. */
function expectAllDisks({ diskFiles }: ImportRequest, execution: Execution, folder: VmFolder): void {
  const sent = new Set(diskFiles.map(({ name }) => name));
  const wanted = persistentDisks(folder, instanceContent(execution).volumes).map(
    ({ name }) => `${name}.qcow2`,
  );
  const missing = wanted.filter((name) => !sent.has(name));
  if (missing.length > 0) throw new Error(`the source does not send ${missing.join(", ")}`);
}

function expectRoomFor({ diskFiles }: ImportRequest, execution: Execution): void {
  const { rootfs, volumes } = instanceContent(execution);
  const sizesMib = volumes.map((volume) => ("size_mib" in volume ? volume.size_mib : 0));
  const maxBytes = [rootfs.size_mib, ...sizesMib].reduce((sum, mib) => sum + mib, 0) * MIB * TABLE_SHARE;
  if (totalBytes(diskFiles) > maxBytes)
    throw new Error("the source offers more bytes than the message has disks for");
}

/** Says, with the state of the machine, that all of it has come: a start that a restart of the node cut off goes on. */
const arrivalOf = (folder: VmFolder): string => join(folder.path, "arrived");

/** Every image is looked at before a machine is given it: it comes from a stranger. */
async function putInPlace(
  { diskFiles }: ImportRequest,
  execution: Execution,
  folder: VmFolder,
  signal: AbortSignal,
): Promise<void> {
  const { rootfs, volumes } = instanceContent(execution);
  const disks = persistentDisks(folder, volumes);
  for (const { name } of diskFiles) {
    const path = arrivedPath(folder, name);
    const disk = disks.find((one) => `${one.name}.qcow2` === name);
    if (name === ROOTFS) {
      await expectDisk(path, name, rootfs.size_mib, signal);
      await rename(path, folder.rootfs);
      continue;
    }
    if (disk === undefined) throw new Error(`the message has no volume for ${name}`);
    await expectDisk(path, name, disk.sizeMib, signal);
    if (disk.format === "qcow2") await rename(path, disk.path);
    else {
      await unpackImage(path, disk.path, signal);
      await rm(path);
    }
  }
}

async function expectDisk(path: string, name: string, sizeMib: number, signal: AbortSignal): Promise<void> {
  const { format, virtualSizeBytes } = await inspectImage(path, 0);
  if (format !== "qcow2") throw new Error(`${name} is no qcow2 image`);
  if (virtualSizeBytes > BigInt(sizeMib) * BigInt(MIB)) {
    throw new Error(`${name} is larger than its message says`);
  }
  await expectSound(path, signal);
}
