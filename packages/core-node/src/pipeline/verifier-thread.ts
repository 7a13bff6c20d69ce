import { type Clock, createDeferred, type Deferred, type Timers } from "@twentysix/platform";
import type { Thread, Threads } from "../threads/threads.ts";
import type { VerifierData, VerifierRequest, VerifierResponse } from "./verifier-protocol.ts";

export interface VerifierThreadOptions {
  readonly threads: Pick<Threads, "startVerifier">;
  readonly data: Omit<VerifierData, "writer">;
  /** Its end of the channel to the writer. */
  readonly writer: VerifierData["writer"];
  /** Without work for this long the thread ends; null: it stays. */
  readonly quietMs: number | null;
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly timers: Pick<Timers, "schedule">;
  /** Told of everything but the beginning and the end of a thread. */
  readonly onResponse: (response: VerifierResponse) => void;
  /** The node cannot survive it. */
  readonly onFailure: (error: unknown) => void;
}

type Verifier = Thread<VerifierRequest, VerifierResponse>;

/**
 * A verifier while there is work. After a quiet time its thread ends, which gives its memory back; the next request
 * starts another. What comes while one ends waits for the next, so nothing is lost and nothing overtakes: the channel to
 * the writer stays the same, handed from one thread to the next.
 */
export class VerifierThread {
  readonly #options: VerifierThreadOptions;
  readonly #ready: Deferred<Readonly<Record<string, string>>> = createDeferred();
  #worker: Verifier | null = null;
  #writer: VerifierData["writer"];
  /** Set while the thread ends: what came since. */
  #held: VerifierRequest[] | null = null;
  #lastRequestMs = 0;
  #cancelLook: () => void = () => {};
  #isTerminated = false;

  constructor(options: VerifierThreadOptions) {
    this.#options = options;
    this.#writer = options.writer;
    this.#start();
  }

  /** Resolves when the first thread is ready, with what it verifies signatures by. */
  get ready(): Promise<Readonly<Record<string, string>>> {
    return this.#ready.promise;
  }

  post(request: VerifierRequest): void {
    this.#lastRequestMs = this.#options.clock.monotonicMs();
    if (this.#held === null) (this.#worker ?? this.#start()).postMessage(request);
    else this.#held.push(request);
  }

  async terminate(): Promise<void> {
    this.#isTerminated = true;
    this.#cancelLook();
    await this.#worker?.terminate();
  }

  #start(): Verifier {
    const { threads, data, clock, onFailure } = this.#options;
    const worker = threads.startVerifier({ ...data, writer: this.#writer });
    worker.on("message", (response) => this.#answer(response));
    worker.on("error", onFailure);
    worker.on("exit", (code) => onFailure(new Error(`The thread ended with code ${code}`)));
    this.#worker = worker;
    this.#lastRequestMs = clock.monotonicMs();
    this.#lookLater(0);
    return worker;
  }

  #answer(response: VerifierResponse): void {
    if (response.kind === "ready") this.#ready.resolve(response.implementation);
    else if (response.kind === "ended") this.#ended(response.writer);
    else this.#options.onResponse(response);
  }

  #lookLater(quietSoFarMs: number): void {
    const { quietMs, timers } = this.#options;
    if (quietMs === null) return;
    this.#cancelLook = timers.schedule(quietMs - quietSoFarMs, () => this.#look(quietMs));
  }

  #look(quietMs: number): void {
    const quietSoFarMs = this.#options.clock.monotonicMs() - this.#lastRequestMs;
    if (quietSoFarMs < quietMs) {
      this.#lookLater(quietSoFarMs);
    } else {
      this.#worker?.postMessage({ kind: "end" });
      this.#held = [];
    }
  }

  #ended(writer: VerifierData["writer"]): void {
    this.#worker?.removeAllListeners();
    this.#worker = null;
    this.#writer = writer;
    const held = this.#held ?? [];
    this.#held = null;
    if (this.#isTerminated) return;
    for (const request of held) this.post(request);
  }
}
