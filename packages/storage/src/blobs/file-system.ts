/**
 * The few file-system calls that the blob store makes. All of them go through here, so that a test can put a
 * simulated disk in its place, one that forgets at a crash whatever was not synced.
 *
 * Paths are absolute. Failures are those of `node:fs`, with `code` (ENOENT, ENOSPC …).
 */
export interface FileSystem {
  /** Opens an existing file for reading, or undefined when there is none. */
  openRead(path: string): Promise<ReadableFile | undefined>;
  /** Creates a file that must not exist yet. */
  create(path: string): Promise<WritableFile>;
  /** Replaces whatever stands at `to`. Durable only once the folder of `to` is synced. */
  rename(from: string, to: string): Promise<void>;
  /** False when there was nothing to remove. */
  unlink(path: string): Promise<boolean>;
  /** Creates a folder and those above it; the uppermost that was new, or undefined when all stood there. */
  makeDirectory(path: string): Promise<string | undefined>;
  /** Makes the names in a folder durable. */
  syncDirectory(path: string): Promise<void>;
  /** Names in a folder, in no order. */
  readDirectory(path: string): Promise<string[]>;
  /** Facts of a plain file; undefined when there is none or it is something else. */
  stat(path: string): Promise<FileStat | undefined>;
  /** Bytes that an unprivileged process may still write to the file system that holds `path`. */
  freeBytes(path: string): Promise<number>;
}

export interface FileStat {
  readonly sizeBytes: number;
  readonly modifiedMs: number;
}

export interface WritableFile {
  /** Appends all of `bytes`; the buffer may be used again once this resolves. */
  write(bytes: Uint8Array): Promise<void>;
  /** Makes the content durable (not the name). */
  sync(): Promise<void>;
  close(): Promise<void>;
}

export interface ReadableFile {
  readonly sizeBytes: number;
  /** Fills `buffer` from `positionBytes` on; fewer bytes than asked only at the end of the file. */
  read(buffer: Uint8Array, positionBytes: number): Promise<number>;
  close(): Promise<void>;
}
