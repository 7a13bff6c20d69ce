import { createDeferred, type Deferred, raceAbort, type Timers } from "@twentysix/platform";
import { HypervisorError } from "../errors.ts";
import { JsonLines } from "../json-lines.ts";
import { connectUnix } from "./connect-unix.ts";

/** Something that QEMU tells by itself: SHUTDOWN, RESET, GUEST_PANICKED … Source: QEMU `qapi/run-state.json`. */
export interface QmpEvent {
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface QmpOptions {
  readonly path: string;
  readonly timers: Timers;
  readonly onEvent?: (event: QmpEvent) => void;
  /** The connection has ended: QEMU has, or somebody has closed it. */
  readonly onClose?: () => void;
}

/** What QEMU sends: it is trusted to keep to its protocol, the guest behind it has no part in these lines. */
interface QmpLine {
  readonly QMP?: unknown;
  readonly event?: string;
  readonly data?: Readonly<Record<string, unknown>>;
  readonly id?: number;
  readonly return?: unknown;
  readonly error?: { readonly desc: string };
}

/** A greeting or an answer that takes longer means that QEMU hangs. */
const ANSWER_TIMEOUT_MS = 20_000;
const MAX_LINE_BYTES = 4 * 1_048_576;
const MAX_WAITING = 64;

/** A connection to one QEMU: commands are answered in order, each within a time. */
export class QmpClient {
  readonly #timers: Timers;
  readonly #waiting = new Map<number, Deferred<unknown>>();
  readonly #greeting = createDeferred<void>();
  readonly #onEvent: (event: QmpEvent) => void;
  readonly #onClose: () => void;
  #lines: JsonLines | undefined;
  #lastId = 0;
  #isClosed = false;

  private constructor({ timers, onEvent, onClose }: QmpOptions) {
    this.#timers = timers;
    this.#onEvent = onEvent ?? (() => undefined);
    this.#onClose = onClose ?? (() => undefined);
    this.#greeting.promise.catch(() => undefined);
  }

  /** @throws HypervisorError QMP_CLOSED, QMP_TIMEOUT; the system's error when nobody listens */
  static async connect(options: QmpOptions, signal: AbortSignal): Promise<QmpClient> {
    const client = new QmpClient(options);
    const socket = await connectUnix(options.path);
    client.#lines = new JsonLines(socket, MAX_LINE_BYTES, {
      onLine: (value) => client.#take(value),
      onClose: () => client.#end(),
    });
    try {
      await client.#within("its greeting", client.#greeting.promise, signal);
      await client.execute("qmp_capabilities", {}, signal);
    } catch (error) {
      client.close();
      throw error;
    }
    return client;
  }

  get isOpen(): boolean {
    return !this.#isClosed;
  }

  /**
   * One command; what it returns is of the shape that QEMU documents.
   *
   * @throws HypervisorError QMP_FAILED (QEMU refused it), QMP_CLOSED, QMP_TIMEOUT
   */
  async execute<Result>(
    command: string,
    argumentsOf: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
  ): Promise<Result> {
    signal.throwIfAborted();
    if (this.#isClosed) throw closed(command);
    if (this.#waiting.size >= MAX_WAITING) {
      throw new HypervisorError(
        "QMP_FAILED",
        `${command} was not sent: ${MAX_WAITING} commands wait already`,
      );
    }
    const id = ++this.#lastId;
    const answer = createDeferred<unknown>();
    this.#waiting.set(id, answer);
    this.#lines?.send({ execute: command, arguments: argumentsOf, id });
    try {
      return (await this.#within(command, answer.promise, signal)) as Result;
    } finally {
      this.#waiting.delete(id);
    }
  }

  close(): void {
    this.#lines?.close();
    this.#end();
  }

  #within<T>(what: string, answer: Promise<T>, signal: AbortSignal): Promise<T> {
    const late = new HypervisorError(
      "QMP_TIMEOUT",
      `QEMU gave no answer to ${what} in ${ANSWER_TIMEOUT_MS} ms`,
    );
    const { promise, reject } = Promise.withResolvers<never>();
    const cancel = this.#timers.schedule(ANSWER_TIMEOUT_MS, () => reject(late));
    return raceAbort(Promise.race([answer, promise]), signal).finally(cancel);
  }

  #take(value: unknown): void {
    if (typeof value !== "object" || value === null) return;
    const line: QmpLine = value;
    if (line.QMP !== undefined) this.#greeting.resolve();
    else if (typeof line.event === "string") this.#onEvent({ event: line.event, data: line.data ?? {} });
    else if (line.id !== undefined) this.#answer(this.#waiting.get(line.id), line);
  }

  #answer(waiting: Deferred<unknown> | undefined, line: QmpLine): void {
    if (line.error === undefined) waiting?.resolve(line.return);
    else waiting?.reject(new HypervisorError("QMP_FAILED", `QEMU refused: ${line.error.desc}`));
  }

  #end(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#greeting.reject(closed("its greeting"));
    for (const answer of this.#waiting.values()) answer.reject(closed("a command"));
    this.#onClose();
  }
}

function closed(what: string): HypervisorError {
  return new HypervisorError("QMP_CLOSED", `QEMU has closed its connection before ${what} was answered`);
}
