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
  readonly #failure = Promise.withResolvers<never>();
  readonly #release: () => void;
  #cancelTimer: () => void;

  constructor(request: IncomingMessage, limits: ReadLimits) {
    this.#limits = limits;
    // Nobody may be waiting at the moment it fails.
    this.#failure.promise.catch(() => {});
    this.#cancelTimer = this.#arm();
    const stopListening = onAbort(limits.signal, (reason) => this.#failure.reject(reason));
    const onClose = (): void => {
      if (!request.complete) this.#failure.reject(clientClosed());
    };
    request.once("close", onClose);
    this.#release = () => {
      stopListening();
      request.off("close", onClose);
    };
  }

  /** The outcome of one step of reading; progress restarts a stall deadline. */
  async race<T>(step: Promise<T>): Promise<T> {
    const read = step.catch((error: unknown) => {
      throw isBrokenConnection(error) ? clientClosed() : error;
    });
    const value = await Promise.race([read, this.#failure.promise]);
    this.restart();
    return value;
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
      this.#failure.reject(
        new ApiError("API_BODY_TIMEOUT", `${what} ${timeoutMs} ms: send it again, faster`, { timeoutMs }),
      );
    });
  }
}

const BROKEN = new Set(["ECONNRESET", "ERR_STREAM_PREMATURE_CLOSE"]);

function isBrokenConnection(error: unknown): boolean {
  return error instanceof Error && "code" in error && BROKEN.has(String(error.code));
}
