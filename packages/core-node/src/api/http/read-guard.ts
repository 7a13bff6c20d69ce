import type { IncomingMessage } from "node:http";
import { onAbort, type Timers } from "@twentysix/platform";
import { ApiError } from "../errors.ts";
import { clientClosed } from "./disconnect.ts";

export interface ReadLimits {
  readonly timeoutMs: number;
  /** `total`: for the whole body. `stall`: between two pieces of it. */
  readonly deadline: "total" | "stall";
  readonly timers: Timers;
  readonly signal: AbortSignal;
}

/** Fails the reading of a body on its deadline, on abort, and when the connection breaks. */
export class ReadGuard implements Disposable {
  readonly #limits: ReadLimits;
  #failure: { readonly reason: unknown } | null = null;
  /** Fails the step that is waited for now. */
  #failStep: ((reason: unknown) => void) | null = null;
  readonly #release: () => void;
  #cancelTimer: () => void;

  constructor(request: IncomingMessage, limits: ReadLimits) {
    this.#limits = limits;
    this.#cancelTimer = this.#arm();
    const stopListening = onAbort(limits.signal, (reason) => this.#fail(reason));
    const onClose = (): void => {
      if (!request.complete) this.#fail(clientClosed());
    };
    request.once("close", onClose);
    this.#release = () => {
      stopListening();
      request.off("close", onClose);
    };
  }

  /** The outcome of one step of reading; progress restarts a stall deadline. */
  async race<T>(step: Promise<T>): Promise<T> {
    const value = await this.#untilFailure(step);
    this.restart();
    return value;
  }

  /**
   * `Promise.race` with one promise for the whole body would keep every piece of it: what was raced with a promise that
   * is not settled yet stays with that promise.
   */
  #untilFailure<T>(step: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#failStep = reject;
      if (this.#failure !== null) reject(this.#failure.reason);
      step.then(resolve, (error: unknown) => reject(isBrokenConnection(error) ? clientClosed() : error));
    });
  }

  /** Nobody may be waiting at the moment it fails: then the next step does. */
  #fail(reason: unknown): void {
    this.#failure ??= { reason };
    this.#failStep?.(reason);
  }

  /** Called when the reader was busy with something else than waiting for the client. */
  restart(): void {
    if (this.#limits.deadline === "total") return;
    this.#cancelTimer();
    this.#cancelTimer = this.#arm();
  }

  [Symbol.dispose](): void {
    this.#cancelTimer();
    this.#release();
  }

  #arm(): () => void {
    const { timers, timeoutMs, deadline } = this.#limits;
    return timers.schedule(timeoutMs, () => {
      const what = deadline === "total" ? "The body did not arrive within" : "The upload stood still for";
      this.#fail(
        new ApiError("API_BODY_TIMEOUT", `${what} ${timeoutMs} ms: send it again, faster`, { timeoutMs }),
      );
    });
  }
}

const BROKEN = new Set(["ECONNRESET", "ERR_STREAM_PREMATURE_CLOSE"]);

function isBrokenConnection(error: unknown): boolean {
  return error instanceof Error && "code" in error && BROKEN.has(String(error.code));
}
