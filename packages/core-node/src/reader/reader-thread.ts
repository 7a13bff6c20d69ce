import { onAbort, type Timers } from "@twentysix/platform";
import { ReadError } from "@twentysix/storage";
import type { Thread, Threads } from "../threads/threads.ts";
import { workerThreads } from "../threads/worker-threads.ts";
import type {
  LedgerSettings,
  ReadCall,
  ReaderData,
  ReaderRequest,
  ReaderResponse,
} from "./reader-protocol.ts";

export interface ReaderThreadOptions {
  readonly databasePath: string;
  readonly timers: Timers;
  readonly ledger: LedgerSettings;
  /** Those of the machine by default. */
  readonly threads?: Threads;
  /** From the call to its answer, waiting included (default 10 s). */
  readonly timeoutMs?: number;
  /** Calls that may wait for the thread (default 256); one more fails with READ_QUEUE_FULL. */
  readonly maxWaiting?: number;
  /** Page cache of the connection (default 8 MiB). */
  readonly cacheBytes?: number;
  /**
   * Old generation of the heap of the thread (default 192 MiB). What it read is garbage once it is sent; with a
   * whole machine to fill the thread would let it lie.
   */
  readonly maxHeapMib?: number;
  /** How long the thread may go on with a read that was given up before it is replaced (default 30 s). */
  readonly stuckMs?: number;
  /** A thread without calls for this long ends, and the next call starts another; null (the default): it stays. */
  readonly quietMs?: number | null;
  /** Told when the thread died or was replaced. */
  readonly onThreadLost?: (reason: unknown) => void;
}

/** For metrics. */
export interface ReaderStats {
  readonly waiting: number;
  readonly isBusy: boolean;
  readonly timeouts: number;
  readonly refused: number;
  readonly threadsLost: number;
}

interface PendingCall {
  readonly id: number;
  readonly call: ReadCall;
  isAnswered: boolean;
  settle(outcome: { readonly value: unknown } | { readonly error: unknown }): void;
}

const DEFAULTS = {
  timeoutMs: 10_000,
  maxWaiting: 256,
  cacheBytes: 8 * 1024 * 1024,
  maxHeapMib: 192,
  stuckMs: 30_000,
  quietMs: null,
  threads: workerThreads,
};

type Worker = Thread<ReaderRequest, ReaderResponse>;

/** A thread that lasted this long was no part of a row of failures. */
const STEADY_MS = 60_000;
const FIRST_PAUSE_MS = 200;
const MAX_PAUSE_MS = 5_000;

/**
 * The one thread that reads lists. Calls wait in a bounded queue and run one at a time; each has a time limit and
 * an AbortSignal, which also stop the thread between the steps of the read. A thread that died or hangs is
 * replaced: the first time at once, and after a growing pause when the new one does not last either.
 */
export class ReaderThread implements AsyncDisposable {
  readonly #options: Required<Omit<ReaderThreadOptions, "onThreadLost">> &
    Pick<ReaderThreadOptions, "onThreadLost">;
  readonly #cancelled = new Int32Array(new SharedArrayBuffer(4));
  readonly #waiting = new Set<PendingCall>();
  #worker: Worker | null = null;
  #running: PendingCall | null = null;
  #cancelStuckTimer: () => void = () => {};
  #cancelSteadyTimer: () => void = () => {};
  #cancelQuietTimer: () => void = () => {};
  /** Set while no thread may be started. */
  #cancelPause: (() => void) | null = null;
  /** Threads lost in a row. */
  #losses = 0;
  #nextId = 1;
  #isClosed = false;
  #timeouts = 0;
  #refused = 0;
  #threadsLost = 0;

  constructor(options: ReaderThreadOptions) {
    this.#options = { ...DEFAULTS, ...options };
  }

  get stats(): ReaderStats {
    return {
      waiting: this.#waiting.size,
      isBusy: this.#running !== null,
      timeouts: this.#timeouts,
      refused: this.#refused,
      threadsLost: this.#threadsLost,
    };
  }

  /**
   * Runs one read.
   *
   * @throws ReadError READ_QUEUE_FULL, READ_TIMEOUT, READER_CLOSED, READER_FAILED or what the read itself refuses
   *   with; the signal's reason when it aborts first
   */
  call(call: ReadCall, signal?: AbortSignal): Promise<unknown> {
    if (signal?.aborted === true) return Promise.reject(signal.reason);
    if (this.#isClosed) return Promise.reject(new ReadError("READER_CLOSED", "the node is stopping"));
    if (this.#waiting.size >= this.#options.maxWaiting) {
      this.#refused += 1;
      return Promise.reject(
        new ReadError("READ_QUEUE_FULL", "too many lists are being read: try again in a moment", {
          maxWaiting: this.#options.maxWaiting,
        }),
      );
    }
    return this.#enqueue(call, signal);
  }

  /** Ends the thread; calls that still wait fail with READER_CLOSED. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelStuckTimer();
    this.#cancelSteadyTimer();
    this.#cancelQuietTimer();
    this.#cancelPause?.();
    const closed = new ReadError("READER_CLOSED", "the node is stopping");
    for (const pending of [...this.#waiting, ...(this.#running === null ? [] : [this.#running])]) {
      pending.settle({ error: closed });
    }
    this.#waiting.clear();
    const worker = this.#worker;
    this.#worker = null;
    worker?.removeAllListeners();
    await worker?.terminate();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #enqueue(call: ReadCall, signal: AbortSignal | undefined): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const { timeoutMs, timers } = this.#options;
    const cancelTimer = timers.schedule(timeoutMs, () => {
      this.#timeouts += 1;
      const message = "the list took too long to read: ask for less, or narrow the filters";
      this.#giveUp(pending, new ReadError("READ_TIMEOUT", message, { timeoutMs }));
    });
    const pending: PendingCall = {
      id: this.#nextId,
      call,
      isAnswered: false,
      settle: (outcome) => {
        if (pending.isAnswered) return;
        pending.isAnswered = true;
        cancelTimer();
        stopListening();
        if ("error" in outcome) reject(outcome.error);
        else resolve(outcome.value);
      },
    };
    // Ids are compared as 32-bit integers with the flag of the thread.
    this.#nextId = this.#nextId === 0x7fffffff ? 1 : this.#nextId + 1;
    const stopListening = onAbort(signal, (reason) => this.#giveUp(pending, reason));
    this.#waiting.add(pending);
    this.#dispatch();
    return promise;
  }

  #giveUp(pending: PendingCall, error: unknown): void {
    pending.settle({ error });
    if (this.#waiting.delete(pending) || this.#running !== pending) return;
    Atomics.store(this.#cancelled, 0, pending.id);
    this.#cancelStuckTimer = this.#options.timers.schedule(this.#options.stuckMs, () => {
      this.#loseThread(new ReadError("READER_FAILED", "a read did not stop when it was given up"));
    });
  }

  #dispatch(): void {
    if (this.#running !== null || this.#isClosed || this.#cancelPause !== null) return;
    const [pending] = this.#waiting;
    this.#cancelQuietTimer();
    if (pending === undefined) {
      this.#endIfQuiet();
      return;
    }
    this.#waiting.delete(pending);
    this.#running = pending;
    const request: ReaderRequest = { id: pending.id, timeoutMs: this.#options.timeoutMs, call: pending.call };
    this.#thread().postMessage(request);
  }

  /** Nothing runs and nothing waits: what the thread holds in memory is of use to nobody. */
  #endIfQuiet(): void {
    const { quietMs, timers } = this.#options;
    const worker = this.#worker;
    if (quietMs === null || worker === null) return;
    this.#cancelQuietTimer = timers.schedule(quietMs, () => {
      this.#worker = null;
      this.#cancelSteadyTimer();
      this.#dismiss(worker);
    });
  }

  /** What it does until it stops concerns nobody; an error event without listener would end the process. */
  #dismiss(worker: Worker): void {
    worker.removeAllListeners();
    worker.on("error", () => {});
    void worker.terminate();
  }

  #thread(): Worker {
    if (this.#worker !== null) return this.#worker;
    const { databasePath, cacheBytes, maxHeapMib, timers, ledger, threads } = this.#options;
    const data: ReaderData = { databasePath, cacheBytes, ledger, cancelled: this.#cancelled.buffer };
    const worker = threads.startReader(data, maxHeapMib);
    worker.on("message", (response) => this.#answer(response));
    worker.on("error", (error) => this.#loseThread(error));
    worker.on("exit", (code) => this.#loseThread(new Error(`the reader thread ended with code ${code}`)));
    this.#worker = worker;
    this.#cancelSteadyTimer = timers.schedule(STEADY_MS, () => {
      this.#losses = 0;
    });
    return worker;
  }

  #answer(response: ReaderResponse): void {
    if (response.kind === "ready") return;
    const pending = this.#running;
    if (pending === null || pending.id !== response.id) return;
    this.#cancelStuckTimer();
    this.#running = null;
    if (response.kind === "value") pending.settle({ value: response.value });
    else if (response.kind === "failed") pending.settle({ error: response.error });
    else pending.settle({ error: new ReadError(response.code, response.message, response.details) });
    this.#dispatch();
  }

  /** The call that ran fails, the others go to a new thread. */
  #loseThread(reason: unknown): void {
    const worker = this.#worker;
    if (worker === null) return;
    this.#worker = null;
    this.#threadsLost += 1;
    this.#losses += 1;
    this.#cancelStuckTimer();
    this.#cancelSteadyTimer();
    this.#cancelQuietTimer();
    this.#dismiss(worker);
    this.#options.onThreadLost?.(reason);
    const message = "the reader thread was lost and is being replaced: try again";
    this.#running?.settle({ error: new ReadError("READER_FAILED", message, { reason: String(reason) }) });
    this.#running = null;
    this.#pause();
    this.#dispatch();
  }

  #pause(): void {
    if (this.#losses < 2 || this.#isClosed) return;
    const pauseMs = Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (this.#losses - 2));
    this.#cancelPause = this.#options.timers.schedule(pauseMs, () => {
      this.#cancelPause = null;
      this.#dispatch();
    });
  }
}
