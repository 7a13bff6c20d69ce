import { closeSync, constants, fchmodSync, fchownSync, openSync, readSync, rmSync } from "node:fs";
import type { OpenFiles } from "../hypervisor/command-line/host-facts.ts";
import { HypervisorError } from "../hypervisor/errors.ts";
import type { DriveSpec, SnapshotSpec, VmSpec } from "../hypervisor/vm-spec.ts";
import { parseQcow2Header } from "../images/qcow2-header.ts";
import { type FileRules, openNodeFile, openNodeFolder } from "./open-file.ts";

/** The first three of a process are its standard streams. */
const FIRST_NUMBER = 3;
const QCOW2_HEAD_BYTES = 104;

/** All files of a machine, opened by the helper and handed to its process, which so needs no right to any path. */
export interface MachineFiles extends Disposable {
  /** In the order in which they are handed over, from number 3 on. */
  readonly handles: readonly number[];
  readonly numbers: OpenFiles;
  /** State of a template, of a machine that continues from one. */
  readonly state: number | null;
}

/** @throws HypervisorError SPEC_INVALID */
export function openMachineFiles(
  spec: VmSpec,
  options: {
    readonly rules: FileRules;
    /** Taken over: it is closed with the others. */
    readonly serialLog: number;
    readonly userId: number | null;
    readonly templateGroupId: number;
  },
): MachineFiles {
  const { rules, serialLog } = options;
  const handles: number[] = [];
  const give = (handle: number): number => handles.push(handle) - 1 + FIRST_NUMBER;
  const dispose = (): void => {
    for (const handle of handles.splice(0)) closeSync(handle);
  };
  try {
    const { kernel, snapshot } = spec;
    const serialNumber = give(serialLog);
    const numbers = {
      kernel: kernel === null ? null : give(openNodeFile(kernel.kernelPath, true, rules)),
      initrd: kernel === null ? null : give(openNodeFile(kernel.initrdPath, true, rules)),
      drives: spec.drives.map((drive) => ({
        file: give(openDrive(drive, rules)),
        backing: drive.backing ? give(openBacking(drive.backing, rules)) : null,
      })),
      serialLog: serialNumber,
      confidential: openConfidential(spec, rules, give),
      memory: snapshot === null ? null : give(openMemory(snapshot, options)),
    };
    const state =
      snapshot?.kind === "resume"
        ? give(openInFolder(snapshot.folder, "state", constants.O_RDONLY, rules))
        : null;
    return { handles, numbers, state, [Symbol.dispose]: dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}

/** Never through a link: what an earlier machine may have left there is not trusted. */
export const appending = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW;

function openConfidential(
  { confidential }: VmSpec,
  rules: FileRules,
  give: (handle: number) => number,
): Exclude<OpenFiles["confidential"], undefined> {
  if (confidential == null) return null;
  const { firmwarePath, sessionPath, publicKeyPath } = confidential;
  return {
    firmware: give(openNodeFile(firmwarePath, true, rules)),
    session: give(openNodeFile(sessionPath, true, rules)),
    publicKey: give(openNodeFile(publicKeyPath, true, rules)),
  };
}

function openDrive(drive: DriveSpec, rules: FileRules): number {
  const file = openNodeFile(drive.path, drive.isReadOnly, rules);
  return checked(file, drive.path, drive.format, drive.backing != null);
}

function openBacking(
  backing: { readonly path: string; readonly format: "raw" | "qcow2" },
  rules: FileRules,
): number {
  return checked(openNodeFile(backing.path, true, rules), backing.path, backing.format, false);
}

/** An image that says that its bytes are in other files would make QEMU open those. */
function checked(file: number, path: string, format: "raw" | "qcow2", mayHaveBacking: boolean): number {
  if (format === "raw") return file;
  const head = Buffer.alloc(QCOW2_HEAD_BYTES);
  const header = parseQcow2Header(head.subarray(0, readSync(file, head, 0, QCOW2_HEAD_BYTES, 0)));
  const problem =
    header === null
      ? "it is no qcow2 image"
      : header.hasDataFile
        ? "it keeps its bytes in another file"
        : header.hasBackingFile && !mayHaveBacking
          ? "it names an image below it that nobody else has named"
          : null;
  if (problem === null) return file;
  closeSync(file);
  throw new HypervisorError("SPEC_INVALID", `${path} cannot be given to a machine: ${problem}`);
}

function openMemory(
  snapshot: SnapshotSpec,
  { rules, userId, templateGroupId }: Parameters<typeof openMachineFiles>[1],
): number {
  if (snapshot.kind === "resume") return openInFolder(snapshot.folder, "ram", constants.O_RDWR, rules);
  const folder = openNodeFolder(snapshot.folder, rules);
  try {
    for (const name of ["ram", "state"]) rmSync(`/proc/self/fd/${folder}/${name}`, { force: true });
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    const memory = openSync(`/proc/self/fd/${folder}/ram`, flags, 0o600);
    if (userId !== null) {
      fchownSync(memory, userId, templateGroupId);
      fchmodSync(memory, 0o660);
    }
    return memory;
  } finally {
    closeSync(folder);
  }
}

function openInFolder(path: string, name: string, flags: number, rules: FileRules): number {
  const folder = openNodeFolder(path, rules);
  try {
    return openSync(`/proc/self/fd/${folder}/${name}`, flags | constants.O_NOFOLLOW);
  } catch (cause) {
    const reason = `the template in ${path} has no ${name}: it was not saved, or is damaged; make it anew`;
    throw new HypervisorError("SPEC_INVALID", reason, { cause });
  } finally {
    closeSync(folder);
  }
}
