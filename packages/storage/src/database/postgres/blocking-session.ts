import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from "node:worker_threads";
import { DatabaseError, databaseErrorOf } from "./database-error.ts";
import type {
  SessionAnswer,
  SessionData,
  SessionRequest,
  WireResult,
  WireStatement,
} from "./session-protocol.ts";

export type SessionOptions = Omit<SessionData, "port" | "answers">;

const HEAP = { maxOldGenerationSizeMb: 1_024, maxYoungGenerationSizeMb: 8 };
/** What the way there and back may take beside the statements themselves. */
const MARGIN_MS = 5_000;
const CLOSE_TIMEOUT_MS = 5_000;

/**
 * A session whose caller waits for its answers: the connection lives on a thread of its own, and the calling
 * thread sleeps on shared memory until that has answered. Only for threads that may block.
 */
export class BlockingSession {
  readonly #options: SessionOptions;
  readonly #answers = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  #thread: { readonly worker: Worker; readonly port: MessagePort } | null = null;
  /** Set when the connection was lost, until somebody takes note. */
  #isLost = false;
  #wasOpened = false;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  /** True when the connection was lost since this was last asked. */
  takeLost(): boolean {
    const wasLost = this.#isLost;
    this.#isLost = false;
    return wasLost;
  }

  /**
   * Sends statements together and waits for what they come to.
   *
   * @param isContinued they belong to a transaction that was begun by an earlier call
   * @throws DatabaseError the failure of the first that failed; those after it were run all the same, unless they
   *   were part of one transaction
   */
  run(statements: readonly WireStatement[], isContinued: boolean): readonly WireResult[] {
    const { statementTimeoutMs, connectTimeoutMs } = this.#options;
    const answer = this.#ask(
      { kind: "run", statements, isContinued },
      statementTimeoutMs + connectTimeoutMs + MARGIN_MS,
    );
    if (answer.kind === "results") return answer.results;
    if (answer.kind === "closed") throw new DatabaseError("DATABASE_LOST", "The session was closed");
    if (!answer.isOpen) this.#isLost = true;
    throw databaseErrorOf(answer.message, answer.sqlState);
  }

  /** Waits, within bounds, until the server was told. */
  close(): void {
    if (this.#thread === null) return;
    try {
      this.#ask({ kind: "close" }, CLOSE_TIMEOUT_MS);
    } finally {
      this.#abandon();
    }
  }

  #open(): MessagePort {
    if (this.#thread !== null) return this.#thread.port;
    if (this.#options.isLasting && this.#wasOpened) {
      throw new DatabaseError("DATABASE_LOST", "The connection to the database was lost");
    }
    this.#wasOpened = true;
    const { port1, port2 } = new MessageChannel();
    const data: SessionData = { ...this.#options, port: port2, answers: this.#answers.buffer };
    const worker = new Worker(new URL("./session-worker.ts", import.meta.url), {
      name: this.#options.applicationName,
      workerData: data,
      transferList: [port2],
      resourceLimits: HEAP,
    });
    // A failure is found when the answer does not come.
    worker.on("error", () => undefined);
    worker.unref();
    port1.unref();
    this.#thread = { worker, port: port1 };
    return port1;
  }

  /** What the thread may still answer reaches nobody. */
  #abandon(): void {
    this.#thread?.port.close();
    void this.#thread?.worker.terminate();
    this.#thread = null;
  }

  #ask(request: SessionRequest, timeoutMs: number): SessionAnswer {
    const port = this.#open();
    const before = Atomics.load(this.#answers, 0);
    port.postMessage(request);
    Atomics.wait(this.#answers, 0, before, timeoutMs);
    const received = receiveMessageOnPort(port);
    if (received === undefined) {
      this.#isLost = true;
      this.#abandon();
      throw new DatabaseError("DATABASE_LOST", `The database did not answer within ${timeoutMs} ms`);
    }
    return received.message as SessionAnswer;
  }
}
