import { rm } from "node:fs/promises";
import type { Clock, Logger, Random, Timers } from "@twentysix/platform";
import {
  type BackupFile,
  type BackupMetadata,
  type BackupOptions,
  type BackupService,
  type BackupState,
  InstanceServiceError,
} from "../../control/instance-services.ts";
import type { DiskClaim, DiskRoom } from "../../executions/admission/disk-claims.ts";
import { ExecutionError } from "../../executions/errors.ts";
import type { Execution } from "../../executions/execution.ts";
import type { Executions, HeldMachine } from "../../executions/executions.ts";
import { allocatedBytes, claimRoom, flatBytes } from "../disks/disk-room.ts";
import { vmFolder } from "../disks/vm-folder.ts";
import { BackupArchives, backupId, type Unfinished } from "./backup-archive.ts";
import { copyDisks, ownDisks, type SourceDisk } from "./copy-disks.ts";
import { thawGuest } from "./guest-freeze.ts";

export interface BackupServices {
  readonly computeDir: string;
  readonly backupDir: string;
  readonly room: DiskRoom;
  readonly executions: Executions;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Logger;
}

const KEPT_MS = 24 * 3_600_000;
const RESULT_KEPT_MS = 3_600_000;
const SWEEP_MS = 600_000;
/** A machine may be in other work after a restart of the node. */
const THAW_ATTEMPTS = 300;
const THAW_PAUSE_MS = 2_000;

/** A job, or its result until somebody was told of it. */
type Job =
  | { readonly state: "in_progress" }
  | { readonly state: "failed"; readonly reason: string; readonly atMs: number };

interface Workshop {
  readonly disks: readonly SourceDisk[];
  readonly folder: string;
  readonly claim: DiskClaim;
}

/** Backups of instances as archives in a folder of the node. */
export class Backups implements BackupService {
  readonly #services: BackupServices;
  readonly #archives: BackupArchives;
  readonly #jobs = new Map<string, Job>();
  readonly #running = new Set<Promise<void>>();
  readonly #closing = new AbortController();

  constructor(services: BackupServices) {
    this.#services = services;
    this.#archives = new BackupArchives(services.backupDir);
  }

  /** Once, when the machines are known and before anything is asked. */
  async start(): Promise<void> {
    for (const one of await this.#archives.clearUnfinished()) this.#track(this.#cutOff(one));
    const { timers, log } = this.#services;
    const sweep = timers.every(SWEEP_MS, () => this.#archives.removeExpired(this.#nowMs()), {
      signal: this.#closing.signal,
      immediately: true,
      onError: (error) => log.error("backups whose time is over could not be removed", { error }),
    });
    this.#track(sweep);
  }

  async create(execution: Execution, options: BackupOptions, signal: AbortSignal): Promise<BackupState> {
    const { vmHash } = execution;
    const known = await this.status(vmHash);
    if (known !== null) return known;
    if (execution.kind !== "instance") {
      throw new InstanceServiceError("NOT_SUPPORTED", "Backup only supported for QEMU VMs");
    }
    if (execution.state !== "running") {
      throw new InstanceServiceError("NOT_RUNNING", "VM must be running to create backup");
    }
    // Another may have been asked for while archives were looked for: this one is that one.
    const other = this.#jobs.get(vmHash);
    if (other?.state === "in_progress") return other;
    const job: Job = { state: "in_progress" };
    this.#jobs.set(vmHash, job);
    try {
      signal.throwIfAborted();
      this.#track(this.#run(execution, await this.#workshop(execution, options), options));
    } catch (error) {
      this.#jobs.delete(vmHash);
      throw error;
    }
    return job;
  }

  async status(vmHash: string): Promise<BackupState | null> {
    const nowMs = this.#nowMs();
    const job = this.#jobs.get(vmHash);
    if (job?.state === "in_progress") return job;
    if (job !== undefined) {
      this.#jobs.delete(vmHash);
      if (nowMs - job.atMs < RESULT_KEPT_MS) return { state: "failed", reason: job.reason };
    }
    const backup = await this.#archives.newest(vmHash, nowMs);
    return backup === null ? null : { state: "done", backup };
  }

  async find(vmHash: string, id: string): Promise<BackupFile | null> {
    const found = await this.#archives.find(vmHash, id);
    return found === null || found.metadata.expiresAtMs <= this.#nowMs() ? null : found;
  }

  remove(vmHash: string, id: string): Promise<boolean> {
    return this.#archives.remove(vmHash, id);
  }

  /** With the machine go its backups. */
  removeAll(vmHash: string): Promise<void> {
    return this.#archives.removeAll(vmHash);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#running);
  }

  /** A guest that was frozen for a backup stays so until somebody tells it to go on. */
  async #cutOff({ vmHash, path }: Unfinished): Promise<void> {
    const { executions, timers, log } = this.#services;
    const { signal } = this.#closing;
    const thaw = async (machine: HeldMachine): Promise<void> => {
      const vm = machine.vm();
      if (vm !== null) await thawGuest(vm.runDir, this.#services);
    };
    try {
      for (let attempt = 0; attempt < THAW_ATTEMPTS && executions.get(vmHash) !== null; attempt += 1) {
        if (await isFree(executions.exclusively(vmHash, "end of a backup", thaw))) break;
        await timers.sleep(THAW_PAUSE_MS, signal);
      }
      await rm(path, { recursive: true, force: true });
    } catch (error) {
      if (!signal.aborted) log.error("a guest may be frozen by a backup that was cut off", { vmHash, error });
    }
  }

  #track(work: Promise<void>): void {
    const tracked = work.finally(() => this.#running.delete(tracked));
    this.#running.add(tracked);
  }

  async #run(execution: Execution, workshop: Workshop, options: BackupOptions): Promise<void> {
    const { vmHash } = execution;
    const { executions, log } = this.#services;
    using _claim = workshop.claim;
    try {
      const backup = await executions.exclusively(vmHash, "backup", (machine) =>
        this.#make(machine, workshop, options),
      );
      log.info("backup made", { vmHash, backupId: backup.backupId, sizeBytes: backup.sizeBytes });
      this.#jobs.delete(vmHash);
    } catch (error) {
      log.warn("a backup failed", { vmHash, error });
      this.#jobs.set(vmHash, { state: "failed", reason: (error as Error).message, atMs: this.#nowMs() });
    } finally {
      await rm(workshop.folder, { recursive: true, force: true });
    }
  }

  async #make(
    machine: HeldMachine,
    { disks, folder }: Workshop,
    { skipsFreeze }: BackupOptions,
  ): Promise<BackupMetadata> {
    const { vmHash } = machine.execution();
    const signal = AbortSignal.any([machine.signal, this.#closing.signal]);
    const sourceSizes = Object.fromEntries(
      await Promise.all(disks.map(async ({ name, path }) => [name, await allocatedBytes(path)] as const)),
    );
    await copyDisks(machine, disks, folder, skipsFreeze ? null : this.#services, signal);
    const nowMs = this.#nowMs();
    const facts = {
      backupId: backupId(vmHash, nowMs),
      volumes: disks.map(({ name }) => name),
      expiresAtMs: nowMs + KEPT_MS,
      sourceSizes,
    };
    return await this.#archives.pack(folder, facts, signal);
  }

  /** Where it is made, with room for it: copies and their archive are on the disk together for a moment. */
  async #workshop(execution: Execution, { includesVolumes }: BackupOptions): Promise<Workshop> {
    const { computeDir, room } = this.#services;
    const { vmHash } = execution;
    const disks = await ownDisks(vmFolder(computeDir, vmHash), execution, includesVolumes);
    if (disks.length === 0) throw new InstanceServiceError("NO_DISK", "the machine has no disk");
    const sizes = await Promise.all(disks.map(flatBytes));
    const neededBytes = 2 * sizes.reduce((sum, bytes) => sum + bytes, 0);
    const folder = await this.#archives.workFolder(vmHash);
    try {
      return { disks, folder, claim: await claimRoom(room, "a backup", folder, neededBytes) };
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  #nowMs(): number {
    return Number(this.#services.clock.nowMicros() / 1_000n);
  }
}

/** false: something else is done to the machine. */
async function isFree(work: Promise<void>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    if (error instanceof ExecutionError && error.code === "BUSY") return false;
    throw error;
  }
}
