import { timingSafeEqual } from "node:crypto";
import type { Clock, Logger, Random } from "@twentysix/platform";
import {
  type ExportedDisk,
  type ExportJob,
  InstanceServiceError,
  type Started,
} from "../../control/instance-services.ts";
import type { DiskRoom } from "../../executions/admission/disk-claims.ts";
import { isConfidential } from "../../executions/confidential.ts";
import type { Execution } from "../../executions/execution.ts";
import type { Executions, HeldMachine } from "../../executions/executions.ts";
import { ownDisks } from "../backups/copy-disks.ts";
import { claimRoom, flatBytes } from "../disks/disk-room.ts";
import { vmFolder } from "../disks/vm-folder.ts";
import { ExportFiles } from "./export-files.ts";

export interface ExportServices {
  readonly computeDir: string;
  readonly executions: Executions;
  readonly room: DiskRoom;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** A finished job is offered so long. Source: aleph-vm `src/aleph/vm/migration/jobs.py`. */
const OFFERED_MS = 1_800_000;
const TOKEN_BYTES = 32;

/** Machines on their way to another node: stopped here until the scheduler says that they run there. */
export class Exports {
  readonly #services: ExportServices;
  readonly #jobs = new Map<string, ExportJob>();
  readonly #readers = new Map<string, number>();
  readonly #running = new Set<Promise<void>>();
  readonly #closing = new AbortController();

  constructor(services: ExportServices) {
    this.#services = services;
  }

  /** After a restart of the node: a complete export is offered on, one that was cut off is given up. */
  async recover(): Promise<void> {
    for (const execution of this.#services.executions.list()) {
      if (execution.state !== "exporting") continue;
      const job = await this.#filesOf(execution.vmHash).load();
      if (job?.state === "exported") this.#jobs.set(execution.vmHash, job);
      else await this.#giveUp(execution.vmHash, "EXPORT_INTERRUPTED", "the node ended during the export");
    }
  }

  async start(execution: Execution): Promise<Started<ExportJob>> {
    const { vmHash } = execution;
    const known = this.job(vmHash);
    if (known !== null && known.state !== "export_failed") return { job: known, isNew: false };
    if (execution.kind !== "instance")
      throw new InstanceServiceError("NOT_SUPPORTED", "only instances can move");
    if (isConfidential(execution.content))
      throw new InstanceServiceError("NOT_SUPPORTED", "confidential instances cannot move");
    if (execution.state !== "running") throw new InstanceServiceError("NOT_RUNNING", "VM is not running");
    const job = this.#newJob(vmHash);
    this.#jobs.set(vmHash, job);
    const work = this.#run(execution, job).finally(() => this.#running.delete(work));
    this.#running.add(work);
    return { job, isNew: true };
  }

  job(vmHash: string): ExportJob | null {
    return this.#jobs.get(vmHash) ?? null;
  }

  openDisk(vmHash: string, name: string, token: string): ExportedDisk | null {
    const job = this.job(vmHash);
    if (job?.state !== "exported" || job.exportToken === null || !isSame(job.exportToken, token)) {
      throw new InstanceServiceError("TOKEN_INVALID", "the export token is wrong, or there is no export");
    }
    const file = job.diskFiles?.find((one) => one.name === name);
    if (file === undefined) return null;
    this.#readers.set(vmHash, this.#readersOf(vmHash) + 1);
    let isOpen = true;
    return {
      path: this.#filesOf(vmHash).pathOf(name),
      sizeBytes: file.sizeBytes,
      release: () => {
        if (isOpen) this.#readers.set(vmHash, this.#readersOf(vmHash) - 1);
        isOpen = false;
      },
    };
  }

  async cleanUp(vmHash: string, signal: AbortSignal): Promise<void> {
    if (this.job(vmHash)?.state !== "exported") {
      throw new InstanceServiceError("NOT_EXPORTED", "No completed export to clean up");
    }
    if (this.#readersOf(vmHash) > 0) {
      throw new InstanceServiceError("DOWNLOAD_RUNNING", "Cannot clean up while disk download in progress");
    }
    const { executions, clock } = this.#services;
    const atMs = Number(clock.nowMicros() / 1_000n);
    await executions.exclusively(vmHash, "cleanup", (machine) =>
      machine.erase({ code: "MIGRATED", text: "the machine has moved to another node", atMs }, signal),
    );
    this.#jobs.delete(vmHash);
    this.#readers.delete(vmHash);
  }

  /** Whoever still reads a disk reads on; nobody begins to any more. */
  async cancel(vmHash: string): Promise<void> {
    const job = this.job(vmHash);
    if (job?.state === "exporting") {
      throw new InstanceServiceError(
        "BUSY",
        "the machine is still being copied: cancel it when that has ended",
      );
    }
    if (job?.state !== "exported") throw new InstanceServiceError("NOT_EXPORTED", "No export to cancel");
    await this.#giveUp(vmHash, "EXPORT_CANCELLED", "no node has taken the exported machine");
    this.#jobs.delete(vmHash);
  }

  /**
   * Gives up what nobody has taken in time. The machine is not started by that: it may run on the target, whose news
   * are late. The next list that names it starts it.
   */
  async expire(): Promise<void> {
    const nowMs = this.#nowMs();
    for (const { vmHash, state, finishedAtMs } of this.#jobs.values()) {
      if (finishedAtMs === null || nowMs - finishedAtMs < OFFERED_MS || this.#readersOf(vmHash) > 0) continue;
      if (state === "exported") {
        await this.#giveUp(
          vmHash,
          "EXPORT_EXPIRED",
          "nobody took the exported machine in time: start it here or export it again",
        );
      }
      this.#jobs.delete(vmHash);
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#running);
  }

  async #run(execution: Execution, job: ExportJob): Promise<void> {
    const { executions, log } = this.#services;
    const { vmHash } = execution;
    try {
      await executions.exclusively(vmHash, "export", (machine) => this.#export(machine, job));
    } catch (error) {
      log.warn("a machine could not be exported", { vmHash, error });
      const { message } = error as Error;
      this.#jobs.set(vmHash, {
        ...job,
        state: "export_failed",
        error: message,
        finishedAtMs: this.#nowMs(),
        exportToken: null,
      });
    }
  }

  /** A machine that could not be copied runs again. */
  async #export(machine: HeldMachine, job: ExportJob): Promise<void> {
    const { computeDir, room } = this.#services;
    const signal = AbortSignal.any([machine.signal, this.#closing.signal]);
    const { vmHash } = job;
    const files = this.#filesOf(vmHash);
    const disks = await ownDisks(vmFolder(computeDir, vmHash), machine.execution(), true);
    const sizes = await Promise.all(disks.map(flatBytes));
    const neededBytes = sizes.reduce((sum, bytes) => sum + bytes, 0);
    using _claim = await claimRoom(room, "an export", files.folder, neededBytes);
    try {
      await machine.stop(signal);
      await machine.mark("exporting", null);
      const diskFiles = await files.write(disks, signal);
      const done: ExportJob = { ...job, state: "exported", diskFiles, finishedAtMs: this.#nowMs() };
      await files.save(done);
      this.#jobs.set(vmHash, done);
    } catch (error) {
      try {
        await this.#takeBack(machine, files, signal);
      } catch (problem) {
        // Why it could not be copied is what its scheduler has to know.
        this.#services.log.error("a machine that could not be exported does not run again", {
          vmHash,
          error: problem,
        });
      }
      throw error;
    }
  }

  async #takeBack(machine: HeldMachine, files: ExportFiles, signal: AbortSignal): Promise<void> {
    await files.remove();
    const { state } = machine.execution();
    // One that did not stop may still run: it is neither stopped nor started.
    if (state !== "exporting" && state !== "stopped") return;
    await machine.mark("stopped", null);
    if (!signal.aborted) await machine.start(signal);
  }

  async #giveUp(vmHash: string, code: string, text: string): Promise<void> {
    const reason = { code, text, atMs: this.#nowMs() };
    await this.#services.executions.exclusively(vmHash, "export", async (machine) => {
      await this.#filesOf(vmHash).remove();
      await machine.mark("stopped", reason);
    });
  }

  #newJob(vmHash: string): ExportJob {
    return {
      vmHash,
      state: "exporting",
      startedAtMs: this.#nowMs(),
      finishedAtMs: null,
      error: null,
      diskFiles: null,
      exportToken: Buffer.from(this.#services.random.randomBytes(TOKEN_BYTES)).toString("hex"),
    };
  }

  #filesOf(vmHash: string): ExportFiles {
    return new ExportFiles(vmFolder(this.#services.computeDir, vmHash), vmHash);
  }

  #readersOf(vmHash: string): number {
    return this.#readers.get(vmHash) ?? 0;
  }

  #nowMs(): number {
    return Number(this.#services.clock.nowMicros() / 1_000n);
  }
}

function isSame(expected: string, given: string): boolean {
  const [one, other] = [Buffer.from(expected), Buffer.from(given)];
  return one.length === other.length && timingSafeEqual(one, other);
}
