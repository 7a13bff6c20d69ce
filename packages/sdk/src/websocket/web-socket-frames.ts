import type { Connection } from "../connection.ts";
import { invalidInput, SdkError } from "../errors.ts";
import { onAbort } from "../wait.ts";

export interface WebSocketFramesParameters {
  /** From the root of the API, with its leading slash. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Frames that wait for the consumer; one more is an error. */
  readonly maxBuffered: number;
  /** Bound on opening the socket. */
  readonly openTimeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** How a socket ended that was not closed from here. */
export interface WebSocketEnd {
  readonly url: string;
  readonly hadFrames: boolean;
  readonly closeCode: number | null;
}

export interface OpenWebSocket {
  readonly url: string;
  /** True once the socket is open, false when it never will be. Never rejects: the frames say why. */
  readonly opened: Promise<boolean>;
  /** Text frames in their order; ends when the socket does. */
  readonly frames: AsyncGenerator<unknown, WebSocketEnd, undefined>;
  /** Must be called in the end; harmless when the socket is closed already. */
  close(): void;
}

/**
 * Opens a websocket at once, and keeps the frames that arrive until they are taken.
 *
 * The frames end with SDK_SLOW_CONSUMER when too many wait, and with the reason of an aborted signal. Error:
 * SDK_INVALID_INPUT where the platform has no WebSocket.
 */
export function openWebSocket(connection: Connection, parameters: WebSocketFramesParameters): OpenWebSocket {
  const { webSocket: Socket, runtime } = connection;
  if (Socket === null) {
    throw invalidInput("webSocket", "this platform has no WebSocket; pass one to createClient");
  }
  const { path, query, maxBuffered, openTimeoutMs, signal } = parameters;
  signal?.throwIfAborted();
  const url = `${connection.apiUrl.replace(/^http/, "ws")}${path}?${query}`;
  const socket = new Socket(url);
  const { promise: opened, resolve: tellOpened } = Promise.withResolvers<boolean>();
  let isOpen = false;
  let hadFrames = false;
  const inbox = new Inbox(maxBuffered, () => {
    close();
    tellOpened(false);
  });
  const end = (closeCode: number | null): void => inbox.end({ url, hadFrames, closeCode });
  const cancelTimer = runtime.schedule(openTimeoutMs, () => end(null));
  const release = onAbort(signal, (reason) => inbox.fail(reason));
  const close = (): void => {
    cancelTimer();
    release();
    socket.close();
  };
  socket.addEventListener("open", () => {
    isOpen = true;
    cancelTimer();
    tellOpened(true);
  });
  socket.addEventListener("message", ({ data }) => {
    hadFrames = true;
    inbox.add(data);
  });
  // A close follows every error of an open socket; one that never opens may give the error alone.
  socket.addEventListener("error", () => {
    if (!isOpen) end(null);
  });
  socket.addEventListener("close", ({ code }) => end(code));
  return { url, opened, frames: drain(inbox), close };
}

async function* drain(inbox: Inbox): AsyncGenerator<unknown, WebSocketEnd, undefined> {
  for (;;) {
    const next = await inbox.take();
    if ("ended" in next) return next.ended;
    yield next.frame;
  }
}

type Next = { readonly frame: unknown } | { readonly ended: WebSocketEnd };

/** Frames on their way to one consumer. */
class Inbox {
  readonly #maxBuffered: number;
  #frames: unknown[] = [];
  #outcome: { readonly ended: WebSocketEnd } | { readonly failed: unknown } | null = null;
  #wake: () => void = () => {};
  readonly #whenSettled: () => void;

  constructor(maxBuffered: number, whenSettled: () => void) {
    this.#maxBuffered = maxBuffered;
    this.#whenSettled = whenSettled;
  }

  add(frame: unknown): void {
    if (this.#outcome !== null) return;
    if (this.#frames.length < this.#maxBuffered) {
      this.#frames.push(frame);
      this.#wake();
      return;
    }
    const message = `${this.#maxBuffered} messages wait to be taken; take them faster or filter more`;
    this.fail(new SdkError("SDK_SLOW_CONSUMER", message, { maxBuffered: this.#maxBuffered }));
  }

  end(ended: WebSocketEnd): void {
    this.#settle({ ended });
  }

  /** What waits is given up: the consumer stopped, or has lost the thread. */
  fail(failed: unknown): void {
    this.#frames = [];
    this.#settle({ failed });
  }

  async take(): Promise<Next> {
    for (;;) {
      const frame = this.#frames.shift();
      if (frame !== undefined) return { frame };
      if (this.#outcome !== null) {
        if ("failed" in this.#outcome) throw this.#outcome.failed;
        return this.#outcome;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #settle(outcome: { readonly ended: WebSocketEnd } | { readonly failed: unknown }): void {
    if (this.#outcome !== null) return;
    this.#outcome = outcome;
    this.#whenSettled();
    this.#wake();
  }
}
