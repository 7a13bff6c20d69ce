import {
  closeSync,
  constants,
  fchownSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  writeSync,
} from "node:fs";

/** Of each log file; the one before it is kept beside. */
export const MAX_LOG_BYTES = 4 * 1_048_576;

const CHUNK_BYTES = 1_048_576;

/**
 * Moves what a log holds to `NAME.1` and empties it, once it is full. Its writer appends, and does not notice. What it
 * writes between both is lost.
 */
export function rotateLog(path: string, maxBytes = MAX_LOG_BYTES): boolean {
  const log = openExisting(path);
  if (log === null) return false;
  try {
    const { size, uid, gid } = fstatSync(log);
    if (size <= maxBytes) return false;
    copyTail(log, size, maxBytes, `${path}.1`, { uid, gid });
    ftruncateSync(log, 0);
    return true;
  } finally {
    closeSync(log);
  }
}

function openExisting(path: string): number | null {
  try {
    return openSync(path, constants.O_RDWR | constants.O_NOFOLLOW);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

function copyTail(
  log: number,
  sizeBytes: number,
  maxBytes: number,
  target: string,
  owner: { readonly uid: number; readonly gid: number },
): void {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;
  const copy = openSync(target, flags, 0o640);
  try {
    fchownSync(copy, owner.uid, owner.gid);
    const chunk = Buffer.alloc(CHUNK_BYTES);
    let position = Math.max(0, sizeBytes - maxBytes);
    while (position < sizeBytes) {
      const bytesRead = readSync(log, chunk, 0, Math.min(CHUNK_BYTES, sizeBytes - position), position);
      if (bytesRead === 0) break;
      writeSync(copy, chunk, 0, bytesRead);
      position += bytesRead;
    }
  } finally {
    closeSync(copy);
  }
}

/** The last of a log as one line; empty when there is none. */
export function tailOf(path: string, maxBytes: number): string {
  const log = openExisting(path);
  if (log === null) return "";
  try {
    const { size } = fstatSync(log);
    const tail = Buffer.alloc(Math.min(size, maxBytes));
    const bytesRead = readSync(log, tail, 0, tail.length, size - tail.length);
    return tail
      .subarray(0, bytesRead)
      .toString("utf8")
      .trim()
      .replaceAll(/\s*\n\s*/g, "; ");
  } finally {
    closeSync(log);
  }
}
