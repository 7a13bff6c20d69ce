import { isAbortOf, type Logger, type Random, type Timers } from "@twentysix/platform";
import type { BlobServer, BlobServerState } from "../blob-engine.ts";
import { isServerFailure } from "../errors.ts";
import { blobErrorOf, connectionFailure, type FailureKind, RemoteFailure } from "./remote-failure.ts";

export interface RemoteServerOptions {
  /** For people and logs, without credentials: `s3://bucket at https://…`. */
  readonly name: string;
  /** One cheap call that fails when the server cannot be used. */
  readonly probe: (signal: AbortSignal) => Promise<void>;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Logger;
}

/** Attempts of one call while the server is known to work; the waits between them add up to 3 seconds at most. */
const MAX_ATTEMPTS = 5;
/** A server that kept silent for the whole time of a call is asked once more: whoever waits has waited for long. */
const MAX_TIMEOUT_ATTEMPTS = 2;
const FIRST_WAIT_MS = 200;
const MAX_WAIT_MS = 2_000;
/** An object that is shorter than recorded is asked for once more: the connection may have broken quietly. */
const MAX_SHORT_ATTEMPTS = 2;
const ATTEMPTS: Readonly<Record<FailureKind, number>> = {
  away: MAX_ATTEMPTS,
  timeout: MAX_TIMEOUT_ATTEMPTS,
  short: MAX_SHORT_ATTEMPTS,
  refused: 1,
  missing: 1,
};
const CALL_TIMEOUT_MS = 15_000;
const PROBE_TIMEOUT_MS = 5_000;
/** How often the server is looked at while it works, and while it does not. */
const PROBE_PERIOD_MS = 5_000;
const AWAY_PROBE_PERIOD_MS = 1_000;

/**
 * One server that keeps blobs: calls to it with their retries, and what is known of it. While it is away a call is
 * tried once only, so that nobody waits for what a moment ago did not work; a probe finds out when it is back.
 */
export class RemoteServer implements BlobServer, AsyncDisposable {
  readonly #options: RemoteServerOptions;
  readonly #stop = new AbortController();
  readonly #backListeners = new Set<() => void>();
  readonly #damageListeners = new Set<(sha256: string) => void>();
  #failure: RemoteFailure | null = null;
  readonly #tasks = new Set<Promise<void>>();
  #watching: Promise<void> = Promise.resolve();

  constructor(options: RemoteServerOptions) {
    this.#options = options;
  }

  /** Looks at the server once and from then on until it is disposed of. Does not reject. */
  async watch(): Promise<void> {
    await this.#probe();
    this.#watching = this.#keepWatching();
  }

  get state(): BlobServerState {
    const { name } = this.#options;
    if (this.#failure === null) return { isUsable: true, message: name };
    return { isUsable: false, message: blobErrorOf(name, this.#failure).message };
  }

  assertUsable(): void {
    if (this.#failure !== null) throw blobErrorOf(this.#options.name, this.#failure);
  }

  onBack(listener: () => void): () => void {
    this.#backListeners.add(listener);
    return () => this.#backListeners.delete(listener);
  }

  onDamage(listener: (sha256: string) => void): () => void {
    this.#damageListeners.add(listener);
    return () => this.#damageListeners.delete(listener);
  }

  whenUsable(name: string, task: (signal: AbortSignal) => Promise<void>): void {
    const start = (): void => {
      const running = this.#run(name, task, start).finally(() => this.#tasks.delete(running));
      this.#tasks.add(running);
    };
    start();
  }

  reportDamage(sha256: string): void {
    for (const listener of this.#damageListeners) listener(sha256);
  }

  /** A short call with its retries, each attempt under a limit of time. @throws BlobError BLOB_SERVER_…; the reason */
  async call<T>(work: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
    const { timers } = this.#options;
    return await this.attempt(() => timers.withTimeout(CALL_TIMEOUT_MS, work, signal), signal);
  }

  /** Work that ends itself when the server keeps silent, with its retries. */
  async attempt<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    for (let failures = 0; ; ) {
      try {
        const result = await work();
        this.worked();
        return result;
      } catch (error) {
        failures += 1;
        await this.failed(error, failures, signal);
      }
    }
  }

  worked(): void {
    if (this.#failure === null) return;
    this.#failure = null;
    this.#options.log.info("The server of the blobs can be used again", { server: this.#options.name });
    for (const listener of this.#backListeners) listener();
  }

  /** After a failed attempt: resolves when it is time for the next one, rejects when there is none. */
  async failed(error: unknown, failures: number, signal: AbortSignal): Promise<void> {
    if (isAbortOf(signal, error)) throw signal.reason;
    const failure = failureOf(error);
    if (failure === undefined) throw error;
    const { name, timers, random } = this.#options;
    const { kind } = failure;
    const isFinal =
      failures >= ATTEMPTS[kind] || ((kind === "away" || kind === "timeout") && this.#failure !== null);
    if (isFinal) {
      if (kind === "away" || kind === "timeout") this.#lost(failure);
      throw blobErrorOf(name, failure);
    }
    const stepMs = Math.min(FIRST_WAIT_MS * 2 ** (failures - 1), MAX_WAIT_MS);
    await timers.sleep(stepMs / 2 + random.uniform(stepMs / 2), signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await Promise.all([this.#watching, ...this.#tasks]);
  }

  async #run(name: string, task: (signal: AbortSignal) => Promise<void>, again: () => void): Promise<void> {
    try {
      this.assertUsable();
      await task(this.#stop.signal);
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      if (!isServerFailure(error)) {
        this.#options.log.error("Work on the server of the blobs failed", { task: name, error });
        return;
      }
      const end = this.onBack(() => {
        end();
        again();
      });
    }
  }

  async #keepWatching(): Promise<void> {
    const { timers } = this.#options;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const periodMs = this.#failure === null ? PROBE_PERIOD_MS : AWAY_PROBE_PERIOD_MS;
      // Only the signal breaks it off, and the loop asks it next.
      await timers.sleep(periodMs, signal).catch(() => undefined);
      if (!signal.aborted) await this.#probe();
    }
  }

  async #probe(): Promise<void> {
    const { timers, probe } = this.#options;
    const { signal } = this.#stop;
    try {
      await timers.withTimeout(PROBE_TIMEOUT_MS, probe, signal);
      this.worked();
    } catch (error) {
      if (signal.aborted) return;
      this.#lost(failureOf(error) ?? new RemoteFailure("refused", messageOf(error), error));
    }
  }

  #lost(failure: RemoteFailure): void {
    const { name, log } = this.#options;
    if (this.#failure === null) {
      log.error("The server of the blobs cannot be used", { server: name, reason: failure.message });
    }
    this.#failure = failure;
  }
}

function failureOf(error: unknown): RemoteFailure | undefined {
  return error instanceof RemoteFailure ? error : connectionFailure(error);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
