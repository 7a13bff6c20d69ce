import { createWriteStream } from "node:fs";
import { link, readdir, rename, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { Clock, Logger } from "@twentysix/platform";
import {
  InstanceServiceError,
  type RestoreResult,
  type RestoreService,
  type RestoreSource,
} from "../../control/instance-services.ts";
import type { DiskClaim, DiskRoom } from "../../executions/admission/disk-claims.ts";
import { ExecutionError } from "../../executions/errors.ts";
import type { Execution } from "../../executions/execution.ts";
import type { Executions, HeldMachine } from "../../executions/executions.ts";
import { exists } from "../../volumes/file-exists.ts";
import { allocatedBytes, claimRoom, noRoom } from "../disks/disk-room.ts";
import { expectSound, inspectImage } from "../disks/parent-image.ts";
import { growImage } from "../disks/qemu-img.ts";
import { createDisk, type RootDiskServices } from "../disks/root-disk.ts";
import { removeUnusedParents } from "../disks/unused-parents.ts";
import { type VmFolder, vmFolder } from "../disks/vm-folder.ts";
import { instanceContent } from "../instance-runner.ts";

export interface RestoreServices extends RootDiskServices {
  readonly computeDir: string;
  readonly room: DiskRoom;
  readonly executions: Executions;
  readonly clock: Clock;
  readonly log: Logger;
}

interface Place {
  readonly folder: VmFolder;
  readonly candidate: string;
  readonly claim: DiskClaim;
}

const MIB = 1_048_576;
/** Of an image beside the bytes of the disk: its tables. */
const TABLE_SHARE = 0.05;
/** Room is asked for so far ahead of an upload, whose length nobody knows. */
const STEP_BYTES = 64 * MIB;

/** Puts another root file system in place of the one of an instance; the earlier one is kept, once. */
export class Restores implements RestoreService {
  readonly #services: RestoreServices;

  constructor(services: RestoreServices) {
    this.#services = services;
  }

  async restore(execution: Execution, source: RestoreSource, signal: AbortSignal): Promise<RestoreResult> {
    const { executions, computeDir, room } = this.#services;
    if (execution.kind !== "instance") {
      throw new InstanceServiceError("NOT_SUPPORTED", "Restore only supported for QEMU VMs");
    }
    try {
      return await executions.exclusively(execution.vmHash, "restore", async (machine) => {
        const folder = vmFolder(computeDir, execution.vmHash);
        const candidate = folder.restoredRootfs;
        try {
          const ended = AbortSignal.any([signal, machine.signal]);
          // What it writes is promised once more, while the old disk is kept.
          const oldBytes = (await exists(folder.rootfs)) ? await allocatedBytes(folder.rootfs) : 0;
          using claim = await claimRoom(room, "a restore", candidate, oldBytes);
          await this.#receive(machine.execution(), source, { folder, candidate, claim }, ended);
          ended.throwIfAborted();
          // Who asked may leave now: half of it is of no use to anybody.
          return await this.#replace(machine, folder, candidate);
        } finally {
          await rm(candidate, { force: true });
          await removeUnusedParents(folder);
        }
      });
    } catch (error) {
      throw asRefusal(error);
    }
  }

  /** What is uploaded is looked at before it is put anywhere. */
  async #receive(
    execution: Execution,
    source: RestoreSource,
    { folder, candidate, claim }: Place,
    signal: AbortSignal,
  ): Promise<void> {
    const sizeMib = instanceContent(execution).rootfs.size_mib;
    if (source.kind === "volume") {
      await createDisk(folder, candidate, source.storeHash, sizeMib, this.#services, signal);
      return;
    }
    const maxBytes = Math.ceil(sizeMib * MIB * (1 + TABLE_SHARE));
    const file = createWriteStream(candidate, { mode: 0o600 });
    await pipeline(bounded(source.bytes, maxBytes, claim), file, { signal });
    const { format, virtualSizeBytes } = await inspectImage(candidate, 0);
    if (format !== "qcow2") {
      throw new InstanceServiceError("IMAGE_INVALID", "Uploaded file is not a valid QCOW2 disk image");
    }
    if (virtualSizeBytes > BigInt(sizeMib) * BigInt(MIB)) {
      const message = `the image is a disk of ${virtualSizeBytes} bytes, and the message allows ${sizeMib} MiB`;
      throw new InstanceServiceError("IMAGE_INVALID", message);
    }
    await expectSound(candidate, signal);
    await growImage(candidate, sizeMib, signal);
  }

  /**
   * There is a root file system at every moment, the old one or the new one, whenever the node ends. A machine that does
   * not start with the new one runs on with the old one.
   */
  async #replace(machine: HeldMachine, folder: VmFolder, candidate: string): Promise<RestoreResult> {
    const kept = (await exists(folder.rootfs)) ? join(folder.path, this.#nameOfOld()) : null;
    const earlier = (await earlierBackups(folder.path)).filter((path) => path !== kept);
    try {
      await machine.stop(machine.signal);
      if (kept !== null) {
        await rm(kept, { force: true });
        await link(folder.rootfs, kept);
      }
      await rename(candidate, folder.rootfs);
      await machine.start(machine.signal);
    } catch (error) {
      await this.#putBack(machine, folder, kept);
      throw error;
    }
    for (const path of earlier) await rm(path, { force: true });
    return { oldRootfsBackup: kept === null ? null : basename(kept) };
  }

  async #putBack(machine: HeldMachine, folder: VmFolder, kept: string | null): Promise<void> {
    if (kept === null) await rm(folder.rootfs, { force: true });
    else if (await exists(kept)) {
      await rename(kept, folder.rootfs);
      // Both may be names of one file: nothing was renamed then.
      await rm(kept, { force: true });
    }
    if (machine.signal.aborted) return;
    try {
      await machine.start(machine.signal);
    } catch (error) {
      const { vmHash } = machine.execution();
      this.#services.log.warn("a machine did not start with its old disk either", { vmHash, error });
    }
  }

  #nameOfOld(): string {
    const time = new Date(Number(this.#services.clock.nowMicros() / 1_000n)).toISOString();
    return `${PREFIX}${time.replaceAll(/[-:]|\.\d+/g, "")}.qcow2`;
  }
}

const PREFIX = "rootfs.pre-restore-";

async function earlierBackups(path: string): Promise<readonly string[]> {
  return (await readdir(path)).filter((name) => name.startsWith(PREFIX)).map((name) => join(path, name));
}

async function* bounded(
  bytes: AsyncIterable<Uint8Array>,
  maxBytes: number,
  claim: DiskClaim,
): AsyncGenerator<Uint8Array> {
  let received = 0;
  let claimed = 0;
  for await (const chunk of bytes) {
    received += chunk.length;
    if (received > maxBytes) {
      throw new InstanceServiceError(
        "TOO_LARGE",
        `the uploaded file is larger than the root file system (${maxBytes} bytes)`,
      );
    }
    if (received > claimed) {
      claimed = Math.min(received + STEP_BYTES, maxBytes);
      if (!(await claim.growTo(claimed))) throw noRoom("the uploaded file needs more");
    }
    yield chunk;
  }
}

function asRefusal(error: unknown): unknown {
  if (!(error instanceof ExecutionError)) return error;
  if (error.code === "BUSY") {
    const message = "A backup or restore is already in progress for this VM";
    return new InstanceServiceError("BUSY", message, { cause: error });
  }
  if (error.code === "IMAGE_INVALID")
    return new InstanceServiceError("IMAGE_INVALID", error.message, { cause: error });
  return error;
}
