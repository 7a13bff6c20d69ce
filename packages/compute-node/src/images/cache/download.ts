import { PlatformError, type Timers } from "@twentysix/platform";
import { ImageError } from "../errors.ts";
import type { FileBytes, FileSource } from "./file-source.ts";
import { PartFile } from "./part-file.ts";

export interface DownloadOptions {
  readonly sources: readonly FileSource[];
  readonly timers: Timers;
  readonly maxBytes: number;
  /** Called before more is written than was asked for so far; throws where there is no room. */
  readonly reserve: (sizeBytes: number) => Promise<void>;
}

export interface Downloaded {
  readonly sha256: string;
  readonly sizeBytes: number;
}

/** A source that says nothing for so long is left for the next one. */
const STALL_MS = 60_000;
const ROUNDS = 3;
const ROUND_PAUSE_MS = 1_000;

/**
 * Gets a file into `partPath`, from one source after another, going on where the last one stopped. It is the file when
 * this resolves: its bytes have been verified.
 *
 * @throws ImageError FILE_NOT_FOUND, FILE_TOO_LARGE, FILE_WRONG, FILES_UNREACHABLE, CACHE_FULL
 */
export async function download(
  fileHash: string,
  partPath: string,
  options: DownloadOptions,
  signal: AbortSignal,
): Promise<Downloaded> {
  await using part = await PartFile.open(partPath, signal);
  const failures: unknown[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    if (round > 0) await options.timers.sleep(ROUND_PAUSE_MS * round, signal);
    for (const source of options.sources) {
      try {
        if (await getFrom(source, fileHash, part, options, signal)) {
          return { sha256: part.sha256(), sizeBytes: part.sizeBytes };
        }
        failures.push(null);
      } catch (error) {
        signal.throwIfAborted();
        if (isFinal(error)) throw error;
        failures.push(error);
      }
    }
    // Where somebody could not be reached, another round may help; where nobody has the file, none does.
    if (failures.every((failure) => failure === null || isWrong(failure))) break;
  }
  throw whyNot(fileHash, options.sources, failures);
}

/** Whether no other source would do better. */
function isFinal(error: unknown): boolean {
  return error instanceof ImageError && (error.code === "FILE_TOO_LARGE" || error.code === "CACHE_FULL");
}

function isWrong(error: unknown): error is ImageError {
  return error instanceof ImageError && error.code === "FILE_WRONG";
}

/** False: the source does not have it. */
async function getFrom(
  source: FileSource,
  fileHash: string,
  part: PartFile,
  options: DownloadOptions,
  signal: AbortSignal,
): Promise<boolean> {
  const wasResumed = part.sizeBytes > 0;
  const opened = new AbortController();
  const whole = AbortSignal.any([opened.signal, signal]);
  try {
    // The signal covers the bytes too, so that it is not that of the time limit of the head.
    const head = (): Promise<FileBytes | null> => source.read(fileHash, part.sizeBytes, whole);
    const answer = await options.timers.withTimeout(STALL_MS, head, signal);
    if (answer === null) return false;
    if (answer.startBytes !== part.sizeBytes) await part.empty();
    await append(answer, fileHash, part, options, signal);
  } finally {
    // Ends the connection where it goes on.
    opened.abort();
  }
  if (await part.isFile(fileHash, signal)) return true;
  await part.empty();
  // The part that was here may have been the wrong one: this source is asked for the whole.
  if (wasResumed) return getFrom(source, fileHash, part, options, signal);
  throw new ImageError("FILE_WRONG", `${source.name} served bytes that are not the file ${fileHash}`);
}

async function append(
  { totalBytes, chunks, startBytes }: FileBytes,
  fileHash: string,
  part: PartFile,
  { timers, maxBytes, reserve }: DownloadOptions,
  signal: AbortSignal,
): Promise<void> {
  if (startBytes !== part.sizeBytes) {
    throw new ImageError("FILE_WRONG", `a source begins ${fileHash} at a byte that nobody asked for`);
  }
  checkSize(fileHash, totalBytes ?? 0, maxBytes);
  await reserve(totalBytes ?? part.sizeBytes);
  const iterator = chunks[Symbol.asyncIterator]();
  for (;;) {
    const next = await timers.withTimeout(STALL_MS, () => iterator.next(), signal);
    if (next.done === true) break;
    const sizeBytes = part.sizeBytes + next.value.length;
    checkSize(fileHash, sizeBytes, maxBytes);
    if (totalBytes !== null && sizeBytes > totalBytes) {
      throw new ImageError("FILE_WRONG", `a source gives more of ${fileHash} than it announced`);
    }
    if (totalBytes === null) await reserve(sizeBytes);
    await part.append(next.value);
  }
  if (totalBytes !== null && part.sizeBytes < totalBytes) {
    throw new ImageError("FILES_UNREACHABLE", `a source broke off in the middle of ${fileHash}`);
  }
}

function checkSize(fileHash: string, sizeBytes: number, maxBytes: number): void {
  if (sizeBytes <= maxBytes) return;
  const message = `the file ${fileHash} has ${sizeBytes} bytes or more, and ${maxBytes} are allowed here`;
  throw new ImageError("FILE_TOO_LARGE", message);
}

function whyNot(fileHash: string, sources: readonly FileSource[], failures: readonly unknown[]): ImageError {
  const names = sources.map(({ name }) => name).join(", ");
  const wrong = failures.find(isWrong);
  if (wrong !== undefined) return wrong;
  if (failures.length > 0 && failures.every((failure) => failure === null)) {
    return new ImageError("FILE_NOT_FOUND", `none of ${names} has the file ${fileHash}`);
  }
  const cause = failures.findLast((failure) => failure !== null);
  const reason = cause instanceof PlatformError ? "it fell silent" : reasonOf(cause);
  const message = `the file ${fileHash} cannot be had from ${names || "any core node: none is known"}: ${reason}`;
  return new ImageError("FILES_UNREACHABLE", message, { cause });
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "no answer";
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message;
}
