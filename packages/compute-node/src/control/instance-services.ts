import type { Execution } from "../executions/execution.ts";
import type { RunningVm } from "../hypervisor/hypervisor.ts";

/**
 * What owners and schedulers may do with the disks of an instance, beside starting and stopping it. The HTTP API calls
 * these; every one of them works under `Executions.exclusively`, so that nothing else changes the machine meanwhile.
 */
export interface InstanceServices {
  readonly backups: BackupService;
  readonly restores: RestoreService;
  readonly migrations: MigrationService;
  readonly rescues: RescueService;
  readonly confidential: ConfidentialService;
}

export type InstanceServiceErrorCode =
  /** 400: the machine must run (backup, export). */
  | "NOT_RUNNING"
  /** 400: programs and confidential machines have no such service. */
  | "NOT_SUPPORTED"
  /** 400: there is no disk. */
  | "NO_DISK"
  /** 400: the uploaded file is no qcow2, refers to another file, or is virtually larger than the root file system. */
  | "IMAGE_INVALID"
  /** 413: more bytes than `rootfs.size_mib`. */
  | "TOO_LARGE"
  /** 507: the disk of this node has no room for it. */
  | "NO_ROOM"
  /** 409: another backup, restore, migration or rescue of this machine is on its way, or the mode forbids it. */
  | "BUSY"
  /** 401: the export token is wrong. */
  | "TOKEN_INVALID"
  /** 404 */
  | "NOT_FOUND"
  /** 409: there is nothing exported that could be released. */
  | "NOT_EXPORTED"
  /** 409: somebody still reads a disk of the export. */
  | "DOWNLOAD_RUNNING"
  /** 400: a host or file name of a migration request that is not allowed. */
  | "REQUEST_INVALID";

/** A refusal of one of the services; `message` is told to the caller as it stands. */
export class InstanceServiceError extends Error {
  override readonly name = "InstanceServiceError";
  readonly code: InstanceServiceErrorCode;

  constructor(code: InstanceServiceErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * What an owner and the processor say to each other about a confidential instance. Source: aleph-vm
 * `controllers/qemu/client.py`, `views/operator.py`.
 */
export interface ConfidentialService {
  /** What `sevctl session` made; serves for the next start. */
  keepSession(
    execution: Execution,
    launch: { readonly session: Buffer; readonly ownerKey: Buffer },
  ): Promise<void>;
  /** @throws InstanceServiceError BUSY when it waits for nothing any more */
  measure(vm: RunningVm, signal: AbortSignal): Promise<LaunchMeasurement>;
  /** Puts the secret into its memory and lets it go on; resolves to what QEMU says of it then. */
  inject(vm: RunningVm, secret: LaunchSecret, signal: AbortSignal): Promise<object>;
  /** Of the platform, for owners to agree on keys with: bytes as `sevctl export` writes them. */
  certificates(signal: AbortSignal): Promise<Buffer>;
}

export interface LaunchMeasurement {
  readonly sevInfo: object;
  /** Base64 of 48 bytes: the measure and its nonce. */
  readonly launchMeasure: string;
}

/** Both base64. */
export interface LaunchSecret {
  readonly packetHeader: string;
  readonly secret: string;
}

/** Backups of a running instance, as one tar of qcow2 files. Source: aleph-vm `controllers/qemu/backup.py`. */
export interface BackupService {
  /**
   * Starts a backup, unless one is on its way (`in_progress`) or an archive that has not expired is here (`done`).
   * A pending state can be seen before this resolves. The result of a job that failed is told once.
   *
   * @throws InstanceServiceError NOT_RUNNING, NOT_SUPPORTED, NO_DISK, NO_ROOM, BUSY
   */
  create(execution: Execution, options: BackupOptions, signal: AbortSignal): Promise<BackupState>;
  /** null: no backup of this machine. Never null between the end of a job and the listing of its archive. */
  status(vmHash: string): Promise<BackupState | null>;
  /** null: gone, or it never was. The id is checked here again: it names a file. */
  find(vmHash: string, backupId: string): Promise<BackupFile | null>;
  /** false: there was none. */
  remove(vmHash: string, backupId: string): Promise<boolean>;
}

export interface BackupOptions {
  readonly includesVolumes: boolean;
  readonly skipsFreeze: boolean;
}

export type BackupState =
  | { readonly state: "in_progress" }
  | { readonly state: "done"; readonly backup: BackupMetadata }
  | { readonly state: "failed"; readonly reason: string };

/** As in the answer, without `download_url`, which the API signs. */
export interface BackupMetadata {
  /** `HASH-20250101T100000Z` */
  readonly backupId: string;
  readonly sizeBytes: number;
  /** `rootfs.qcow2`, … */
  readonly volumes: readonly string[];
  readonly expiresAtMs: number;
  /** SHA-256 of the tar, hexadecimal. */
  readonly sha256: string;
  readonly sourceSizes: Readonly<Record<string, number>>;
}

export interface BackupFile {
  readonly path: string;
  readonly metadata: BackupMetadata;
}

/** Puts another root file system in place of the one of an instance. */
export interface RestoreService {
  /**
   * Resolves after the machine was started again.
   *
   * @throws InstanceServiceError IMAGE_INVALID, TOO_LARGE, NO_ROOM, BUSY, NOT_SUPPORTED, NOT_FOUND
   */
  restore(execution: Execution, source: RestoreSource, signal: AbortSignal): Promise<RestoreResult>;
}

export type RestoreSource =
  /** A qcow2 file as it is uploaded: untrusted, read once, bounded by the service. */
  | { readonly kind: "upload"; readonly bytes: AsyncIterable<Uint8Array> }
  | { readonly kind: "volume"; readonly storeHash: string };

export interface RestoreResult {
  /** Name of the file that holds the earlier root file system; null: there was none. */
  readonly oldRootfsBackup: string | null;
}

/**
 * Cold migration. The source stays stopped from the export until `cleanUp` or a failure; the states `exporting` and
 * `importing` of an execution keep everybody else away. Source: aleph-vm `migration/`.
 */
export interface MigrationService {
  /** `isNew` false: a job runs, or has ended, already. @throws InstanceServiceError NOT_RUNNING, NOT_SUPPORTED, BUSY */
  startExport(execution: Execution, signal: AbortSignal): Promise<Started<ExportJob>>;
  exportJob(vmHash: string): ExportJob | null;
  /**
   * A disk of an export for whoever has its token, compared in constant time.
   *
   * @throws InstanceServiceError TOKEN_INVALID
   */
  openDisk(vmHash: string, fileName: string, token: string): Promise<ExportedDisk | null>;
  /**
   * Fetches the disks from the source, and starts the machine here.
   *
   * @throws InstanceServiceError REQUEST_INVALID, BUSY (runs here already)
   */
  startImport(request: ImportRequest, signal: AbortSignal): Promise<Started<ImportJob>>;
  importJob(vmHash: string): ImportJob | null;
  /**
   * Nobody takes what was exported: the machine may be started here again.
   *
   * @throws InstanceServiceError NOT_EXPORTED; BUSY while it is still being copied
   */
  cancelExport(vmHash: string): Promise<void>;
  /** The machine has moved: removes it from the source. @throws InstanceServiceError NOT_EXPORTED, DOWNLOAD_RUNNING */
  cleanUp(vmHash: string, signal: AbortSignal): Promise<void>;
}

export interface Started<Job> {
  readonly job: Job;
  readonly isNew: boolean;
}

export interface ExportJob {
  readonly vmHash: string;
  readonly state: "exporting" | "exported" | "export_failed";
  readonly startedAtMs: number;
  readonly finishedAtMs: number | null;
  readonly error: string | null;
  readonly diskFiles: readonly ExportedFile[] | null;
  readonly exportToken: string | null;
}

export interface ExportedFile {
  /** A plain file name. */
  readonly name: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  /** `/control/machine/HASH/migration/disk/NAME` */
  readonly downloadPath: string;
}

export interface ExportedDisk {
  readonly path: string;
  readonly sizeBytes: number;
  /** Called when the bytes have been sent, or not: `cleanUp` waits for nobody else. */
  release(): void;
}

/** As the scheduler sends it; its shape is checked, its names and hosts are not yet. */
export interface ImportRequest {
  readonly vmHash: string;
  readonly sourceHost: string;
  readonly sourcePort: number;
  readonly exportToken: string;
  readonly diskFiles: readonly ExportedFile[];
}

export interface ImportJob {
  readonly vmHash: string;
  readonly state: "importing" | "imported" | "import_failed";
  readonly startedAtMs: number;
  readonly finishedAtMs: number | null;
  readonly bytesDownloaded: number;
  readonly totalBytesExpected: number;
  readonly currentStep:
    | "fetching_message"
    | "downloading_parent"
    | "downloading_disks"
    | "rebasing"
    | "creating_vm"
    | null;
  readonly error: string | null;
  readonly transferTimeMs: number | null;
}

/** Boots an instance from another root file system, with its own as a second disk. Source: aleph-vm pull request 932. */
export interface RescueService {
  /** null takes the default image of the network. @throws InstanceServiceError BUSY, NOT_SUPPORTED, NOT_FOUND */
  enter(execution: Execution, imageHash: string | null, signal: AbortSignal): Promise<RescueState>;
  /** null: neither in rescue nor on its way there. */
  status(vmHash: string): RescueState | null;
  /** Resolves when it has been started normally. @throws InstanceServiceError BUSY, NOT_FOUND */
  leave(execution: Execution, signal: AbortSignal): Promise<void>;
}

export type RescueState =
  | { readonly state: "in_progress" }
  | { readonly state: "rescue"; readonly message: string }
  | { readonly state: "failed"; readonly reason: string };
