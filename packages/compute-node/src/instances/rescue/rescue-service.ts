import { rm } from "node:fs/promises";
import type { Logger } from "@twentysix/platform";
import {
  InstanceServiceError,
  type RescueService,
  type RescueState,
} from "../../control/instance-services.ts";
import type { DiskClaim, DiskRoom } from "../../executions/admission/disk-claims.ts";
import { RESCUE_DISK_MIB } from "../../executions/admission/needs.ts";
import { isConfidential } from "../../executions/confidential.ts";
import { ExecutionError } from "../../executions/errors.ts";
import type { Execution } from "../../executions/execution.ts";
import type { Executions } from "../../executions/executions.ts";
import { claimRoom } from "../disks/disk-room.ts";
import { createDisk, type RootDiskServices } from "../disks/root-disk.ts";
import { vmFolder } from "../disks/vm-folder.ts";

export interface RescueServices extends RootDiskServices {
  readonly computeDir: string;
  readonly executions: Executions;
  readonly room: DiskRoom;
  /** Hash of the image that the network names for rescues; null: it names none. */
  readonly defaultImage: (signal: AbortSignal) => Promise<string | null>;
  readonly log: Logger;
}

interface Plan {
  readonly image: string;
  readonly claim: DiskClaim;
}

const MIB = 1_048_576;
const IN_RESCUE: RescueState = {
  state: "rescue",
  message: "The instance runs a rescue system; its original disk is /dev/vdb.",
};

/** Boots instances from another disk, with their own beside it, until their owners end it. */
export class Rescues implements RescueService {
  readonly #services: RescueServices;
  readonly #jobs = new Map<string, RescueState>();
  readonly #running = new Set<Promise<void>>();
  readonly #closing = new AbortController();

  constructor(services: RescueServices) {
    this.#services = services;
  }

  async enter(execution: Execution, imageHash: string | null, signal: AbortSignal): Promise<RescueState> {
    const { vmHash } = execution;
    if (execution.kind !== "instance")
      throw new InstanceServiceError("NOT_SUPPORTED", "only instances have a rescue mode");
    if (isConfidential(execution.content))
      throw new InstanceServiceError("NOT_SUPPORTED", "confidential instances have no rescue mode");
    if (this.#jobs.get(vmHash)?.state === "in_progress" || execution.mode === "rescue") {
      throw new InstanceServiceError("BUSY", "the machine is in rescue mode, or on its way there");
    }
    const job: RescueState = { state: "in_progress" };
    this.#jobs.set(vmHash, job);
    try {
      const plan = await this.#plan(vmHash, imageHash, signal);
      const work = this.#enter(vmHash, plan).finally(() => this.#running.delete(work));
      this.#running.add(work);
    } catch (error) {
      this.#jobs.delete(vmHash);
      throw error;
    }
    return job;
  }

  status(vmHash: string): RescueState | null {
    const job = this.#jobs.get(vmHash);
    if (job !== undefined) return job;
    return this.#services.executions.get(vmHash)?.mode === "rescue" ? IN_RESCUE : null;
  }

  async leave(execution: Execution, signal: AbortSignal): Promise<void> {
    const { executions, computeDir } = this.#services;
    const { vmHash } = execution;
    if (this.#jobs.get(vmHash)?.state === "in_progress") {
      throw new InstanceServiceError("BUSY", "the machine is on its way into rescue mode");
    }
    if (execution.mode !== "rescue")
      throw new InstanceServiceError("NOT_FOUND", "the machine is not in rescue mode");
    await busyAsRefusal(() =>
      executions.exclusively(vmHash, "rescue", async (machine) => {
        signal.throwIfAborted();
        // Who asked may leave now: half of it is of no use to anybody.
        await machine.stop(machine.signal);
        await machine.setMode("normal");
        this.#jobs.delete(vmHash);
        await rm(vmFolder(computeDir, vmHash).rescueRootfs, { force: true });
        await machine.start(machine.signal);
      }),
    );
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#running);
  }

  async #plan(vmHash: string, imageHash: string | null, signal: AbortSignal): Promise<Plan> {
    const { room, computeDir, defaultImage } = this.#services;
    const image = imageHash ?? (await defaultImage(signal));
    if (image === null) {
      throw new InstanceServiceError("NOT_FOUND", "the network names no rescue image: give item_hash");
    }
    const path = vmFolder(computeDir, vmHash).rescueRootfs;
    return { image, claim: await claimRoom(room, "a rescue", path, RESCUE_DISK_MIB * MIB) };
  }

  async #enter(vmHash: string, { image, claim }: Plan): Promise<void> {
    const { executions, computeDir, log } = this.#services;
    // Once the machine is in rescue mode it is promised the room.
    using _claim = claim;
    try {
      await executions.exclusively(vmHash, "rescue", async (machine) => {
        const signal = AbortSignal.any([machine.signal, this.#closing.signal]);
        const folder = vmFolder(computeDir, vmHash);
        await createDisk(folder, folder.rescueRootfs, image, RESCUE_DISK_MIB, this.#services, signal);
        await machine.stop(signal);
        await machine.setMode("rescue");
        try {
          await machine.start(signal);
        } catch (error) {
          await machine.setMode("normal");
          await rm(folder.rescueRootfs, { force: true });
          if (!signal.aborted) await machine.start(signal);
          throw error;
        }
      });
      this.#jobs.delete(vmHash);
    } catch (error) {
      log.warn("a machine could not be brought into rescue mode", { vmHash, error });
      this.#jobs.set(vmHash, { state: "failed", reason: (error as Error).message });
    }
  }
}

async function busyAsRefusal<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ExecutionError) || error.code !== "BUSY") throw error;
    throw new InstanceServiceError("BUSY", error.message, { cause: error });
  }
}
