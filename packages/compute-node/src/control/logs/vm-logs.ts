import { open, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Clock, Logger, Timers } from "@twentysix/platform";
import type { Execution } from "../../executions/execution.ts";
import { LineSplitter } from "./line-splitter.ts";
import { LogTimes } from "./log-times.ts";

export interface VmLogsOptions {
  /** Folder of a machine's sockets and logs: `serial.log`, and `serial.log.1` with what was before it. */
  readonly folderOf: (vmHash: string) => string;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Logger;
  readonly running: () => readonly Execution[];
}

export interface LogLine {
  readonly text: string;
  readonly atMs: number;
}

export interface FollowOptions {
  readonly goesOn: () => boolean;
  readonly signal: AbortSignal;
}

const LOG_NAME = "serial.log";
const EARLIER_NAME = "serial.log.1";
/** Of each of the two files, counted from its end. */
const MAX_READ_BYTES = 8 * 1_024 * 1_024;
const CHUNK_BYTES = 65_536;
const LOOK_PERIOD_MS = 2_000;
const FOLLOW_PERIOD_MS = 250;

/** What machines wrote on their consoles. */
export class VmLogs {
  readonly #options: VmLogsOptions;
  readonly #times = new Map<string, LogTimes>();

  constructor(options: VmLogsOptions) {
    this.#options = options;
  }

  /** Notes how the logs of running machines grow, until the signal. */
  run(signal: AbortSignal): Promise<void> {
    const { timers, log, running } = this.#options;
    const look = async (): Promise<void> => {
      const machines = running();
      const present = new Set(machines.map(({ vmHash }) => vmHash));
      for (const vmHash of this.#times.keys()) if (!present.has(vmHash)) this.#times.delete(vmHash);
      for (const { vmHash } of machines) await this.#look(vmHash);
    };
    const onError = (error: unknown): void => log.warn("the logs of machines cannot be looked at", { error });
    return timers.every(LOOK_PERIOD_MS, look, { signal, onError, immediately: true });
  }

  /**
   * All that is left of a machine's log, oldest first; nothing when it never wrote, or was erased. With `follow` also what
   * it writes from then on, while it goes on; ends with the signal, by its reason.
   */
  async *lines(vmHash: string, follow: FollowOptions | null): AsyncGenerator<LogLine, void, undefined> {
    const sinceMs = await this.#lastChangeMs(vmHash);
    yield* this.#read(vmHash, EARLIER_NAME, null, sinceMs);
    const position = yield* this.#read(vmHash, LOG_NAME, this.#times.get(vmHash) ?? null, sinceMs);
    if (follow !== null) yield* this.#live(vmHash, position, follow);
  }

  /** One file; without its last line where that has no end yet and others follow. */
  async *#read(
    vmHash: string,
    name: string,
    times: LogTimes | null,
    sinceMs: number,
  ): AsyncGenerator<LogLine, number, undefined> {
    const path = join(this.#options.folderOf(vmHash), name);
    const size = await sizeOf(path);
    if (size === null) return 0;
    const splitter = new LineSplitter(Math.max(size - MAX_READ_BYTES, 0));
    for await (const chunk of readRange(path, splitter.position, size)) {
      for (const { text, offset } of splitter.push(chunk)) yield { text, atMs: times?.at(offset) ?? sinceMs };
    }
    const rest = splitter.rest();
    if (rest !== null) yield { text: rest.text, atMs: times?.at(rest.offset) ?? sinceMs };
    return size;
  }

  async *#live(
    vmHash: string,
    startBytes: number,
    { goesOn, signal }: FollowOptions,
  ): AsyncGenerator<LogLine, void, undefined> {
    const path = join(this.#options.folderOf(vmHash), LOG_NAME);
    let position = startBytes;
    let splitter = new LineSplitter(position);
    for (;;) {
      const isLast = !goesOn();
      const size = (await sizeOf(path)) ?? 0;
      if (size < position) {
        // The part before has been moved away.
        position = 0;
        splitter = new LineSplitter(0);
      }
      for await (const chunk of readRange(path, position, size)) {
        position += chunk.length;
        for (const { text } of splitter.push(chunk)) yield { text, atMs: this.#nowMs() };
      }
      if (isLast) return;
      await this.#options.timers.sleep(FOLLOW_PERIOD_MS, signal);
    }
  }

  async #look(vmHash: string): Promise<void> {
    const size = await sizeOf(join(this.#options.folderOf(vmHash), LOG_NAME));
    if (size === null) return;
    const times = this.#times.get(vmHash) ?? new LogTimes();
    this.#times.set(vmHash, times);
    times.mark(size, this.#nowMs());
  }

  /** What was written before anybody looked is as old as the last change of the log. */
  async #lastChangeMs(vmHash: string): Promise<number> {
    const file = await stat(join(this.#options.folderOf(vmHash), LOG_NAME)).catch(absent);
    return file === null ? this.#nowMs() : Math.floor(file.mtimeMs);
  }

  #nowMs(): number {
    return Number(this.#options.clock.nowMicros() / 1_000n);
  }
}

async function* readRange(path: string, start: number, end: number): AsyncGenerator<Buffer, void, undefined> {
  if (start >= end) return;
  const file = await open(path, "r").catch(absent);
  if (file === null) return;
  try {
    for (let position = start; position < end; ) {
      const wanted = Math.min(CHUNK_BYTES, end - position);
      const { bytesRead, buffer } = await file.read(Buffer.alloc(wanted), 0, wanted, position);
      if (bytesRead === 0) return;
      position += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

async function sizeOf(path: string): Promise<number | null> {
  return (await stat(path).catch(absent))?.size ?? null;
}

function absent(error: unknown): null {
  if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
  throw error;
}
