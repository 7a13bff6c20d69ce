import type { Timers } from "@twentysix/platform";
import type { Client } from "pg";
import { COMMITS_CHANNEL } from "./commit-notice.ts";

export interface CommitListenerOptions {
  readonly url: string;
  readonly timers: Timers;
  /** There may be something new: after a commit of the writer, and now and then without one. */
  readonly onCommit: () => void;
  /** The server cannot be listened to; tried again. */
  readonly onProblem: (error: unknown) => void;
}

/** A word that was lost is made good for by looking all the same. */
const LOOK_MS = 5_000;
const RETRY_MS = 1_000;
const CONNECT_TIMEOUT_MS = 10_000;

/**
 * Hears of the commits of a writer in another process. Asynchronous: for a thread that must not block. A word says
 * only that there is something; what it is stands in the outbox.
 */
export class CommitListener implements AsyncDisposable {
  readonly #options: CommitListenerOptions;
  readonly #stop = new AbortController();
  readonly #running: readonly Promise<void>[];

  constructor(options: CommitListenerOptions) {
    this.#options = options;
    const { timers, onCommit, onProblem } = options;
    const { signal } = this.#stop;
    this.#running = [
      timers.every(RETRY_MS, () => this.#listen(signal), { signal, immediately: true, onError: onProblem }),
      timers.every(LOOK_MS, () => onCommit(), { signal, onError: onProblem }),
    ];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#running);
  }

  /** Until the connection is lost, or the signal aborts. */
  async #listen(signal: AbortSignal): Promise<void> {
    const { onCommit } = this.#options;
    const client = await this.#connect();
    try {
      const lost = Promise.withResolvers<void>();
      client.on("error", (error) => lost.reject(error));
      client.on("end", () => lost.reject(new Error("the server ended the connection")));
      signal.addEventListener("abort", () => lost.resolve(), { once: true });
      client.on("notification", onCommit);
      await client.query(`LISTEN ${COMMITS_CHANNEL}`);
      // Whatever was committed before it listened.
      onCommit();
      if (!signal.aborted) await lost.promise;
    } finally {
      client.removeAllListeners();
      client.on("error", () => undefined);
      // What ended the connection is told by whoever waited for it; a lost one cannot be ended once more.
      await client.end().catch(() => undefined);
    }
  }

  async #connect(): Promise<Client> {
    // Only where it is used: nothing else on this thread speaks to a server.
    const { default: pg } = await import("pg");
    const client = new pg.Client({
      connectionString: this.#options.url,
      application_name: "twentysix listener",
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      keepAlive: true,
    });
    await client.connect();
    return client;
  }
}
