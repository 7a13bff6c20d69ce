import { rm } from "node:fs/promises";
import { createSystemRandom, type Random } from "@twentysix/platform";
import { type ContentStore, type ContentStoreOptions, makeDurableFolder } from "@twentysix/storage";
import { readBlobsFrom } from "./content/read-blob.ts";
import { type WorkingFiles, workingFilesOnDisk } from "./content/working-files.ts";
import type { OpenNetwork } from "./peers/peers.ts";
import type { PipelineOptions } from "./pipeline/pipeline-options.ts";
import { folderBytes, freeBytes } from "./services/disk-usage.ts";
import type { Threads } from "./threads/threads.ts";
import { workerThreads } from "./threads/worker-threads.ts";

/** The disk that a node stands on, its databases aside. */
export interface NodeDisk {
  readonly files: WorkingFiles;
  /** What keeps the contents uses it; by default the disk of this machine. */
  readonly fileSystem?: NonNullable<ContentStoreOptions["fileSystem"]>;
  /** Creates the folder of the database, durably. */
  makeFolder(path: string): Promise<void>;
  removeFolder(path: string): Promise<void>;
  /** Bytes of the files right in a folder. */
  usedBytes(folder: string): number;
  freeBytes(folder: string): number;
}

/** What a node runs on besides clock and timers. The simulator brings its own. */
export interface Surroundings {
  readonly random: Random;
  readonly threads: Threads;
  readonly disk: NodeDisk;
  /** Moves the log of the database into it on a thread of the machine. */
  readonly checkpointsApart: boolean;
  /** See `PipelineOptions`. */
  readonly verifierQuietMs: number | null;
  /** See `ReaderThreadOptions`. */
  readonly readerQuietMs: number | null;
  /** Over libp2p where it is not given. */
  readonly openNetwork?: OpenNetwork;
}

/** To start a thread takes a tenth of a second or two, which whoever comes after a pause may wait. */
const VERIFIER_QUIET_MS = 30_000;
/** The first list of a thread takes a quarter of a second longer. */
const READER_QUIET_MS = 120_000;

/** This machine. */
export function machineSurroundings(): Surroundings {
  return {
    random: createSystemRandom(),
    threads: workerThreads,
    disk: {
      files: workingFilesOnDisk,
      makeFolder: makeDurableFolder,
      removeFolder: (path) => rm(path, { recursive: true, force: true }),
      usedBytes: folderBytes,
      freeBytes,
    },
    checkpointsApart: true,
    verifierQuietMs: VERIFIER_QUIET_MS,
    readerQuietMs: READER_QUIET_MS,
  };
}

/** How the writer reads contents: itself where they are files of this machine, else through the main thread. */
export function blobsOn(
  { fileSystem }: NodeDisk,
  contents: ContentStore,
  inFolder: PipelineOptions["blobs"],
): PipelineOptions["blobs"] {
  return fileSystem === undefined ? inFolder : { read: readBlobsFrom(contents.files) };
}
