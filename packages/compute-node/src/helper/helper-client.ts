import { createDeferred, type Deferred, type Logger, raceAbort, type Timers } from "@twentysix/platform";
import { HypervisorError, type HypervisorErrorCode } from "../hypervisor/errors.ts";
import { JsonLines } from "../hypervisor/json-lines.ts";
import { connectUnix, isNobodyThere } from "../hypervisor/qmp/connect-unix.ts";
import { helperSocketOf } from "./helper-folders.ts";
import { type ExitEvent, type HelperAnswer, MAX_HELPER_LINE_BYTES, MAX_REQUESTS } from "./helper-protocol.ts";
import { type HelperCommand, spawnHelper } from "./helper-spawn.ts";
import type { HelperCalls } from "./host-parts.ts";

export interface HelperClientOptions {
  /** Folder of the compute node. */
  readonly dir: string;
  /** Starts the helper where none answers; null: somebody else does, and it is waited for. */
  readonly command: HelperCommand | null;
  readonly timers: Timers;
  readonly log: Logger;
  readonly onExit: (event: ExitEvent) => void;
  /** There is a new connection: what was told meanwhile was missed. */
  readonly onConnected: () => void;
}

/** Of one request, with all attempts: its helper may have to be started, and to try what the host can do. */
const CALL_TIMEOUT_MS = 120_000;
const CONNECT_TIMEOUT_MS = 20_000;
const RETRY_MS = 25;
/** As all machines of a node may be asked for at once: twice as many as there can be. */
const MAX_PENDING = 8_192;
/** Sent and not answered: the helper ends a connection that asks for more than it takes at once. */
const MAX_SENT = MAX_REQUESTS / 2;

interface PendingCall {
  readonly verb: string;
  readonly parameters: object;
  readonly answer: Deferred<unknown>;
}

/**
 * The node's end of the connection to its host helper. A request survives the helper: it is sent again to the next one,
 * which is started when there is none.
 */
export class HelperClient implements HelperCalls, Disposable {
  readonly #options: HelperClientOptions;
  readonly #pending = new Map<number, PendingCall>();
  readonly #closing = new AbortController();
  /** Sent on this connection, and not answered. */
  readonly #sent = new Set<number>();
  #connection: JsonLines | null = null;
  #connecting: Promise<void> | null = null;
  #lastId = 0;

  constructor(options: HelperClientOptions) {
    this.#options = options;
  }

  get isConnected(): boolean {
    return this.#connection !== null;
  }

  async call<Result>(verb: string, parameters: object, signal: AbortSignal): Promise<Result> {
    signal.throwIfAborted();
    if (this.#closing.signal.aborted) throw unreachable("the node is closing");
    if (this.#pending.size >= MAX_PENDING) throw unreachable(`${MAX_PENDING} requests wait for it already`);
    const id = ++this.#lastId;
    const call = { verb, parameters, answer: createDeferred<unknown>() };
    this.#pending.set(id, call);
    const limit = AbortSignal.any([signal, this.#closing.signal, AbortSignal.timeout(CALL_TIMEOUT_MS)]);
    try {
      if (this.#connection === null) void this.#connect();
      else this.#sendMore();
      return (await raceAbort(call.answer.promise, limit)) as Result;
    } catch (error) {
      if (signal.aborted || !limit.aborted) throw error;
      throw unreachable(`it gave no answer to ${verb} in ${CALL_TIMEOUT_MS} ms`, error);
    } finally {
      this.#pending.delete(id);
      // One that is given up may still be worked on: the helper has room for as many again.
      this.#sent.delete(id);
      this.#sendMore();
    }
  }

  [Symbol.dispose](): void {
    this.#closing.abort(unreachable("the node is closing"));
    this.#connection?.close();
  }

  /** In the order of asking, as far as the helper takes more just now. */
  #sendMore(): void {
    if (this.#connection === null) return;
    for (const [id, { verb, parameters }] of this.#pending) {
      if (this.#sent.size >= MAX_SENT) return;
      if (this.#sent.has(id)) continue;
      this.#sent.add(id);
      this.#connection.send({ id, verb, parameters });
    }
  }

  #connect(): Promise<void> {
    this.#connecting ??= this.#reach()
      .then((connection) => {
        this.#connection = connection;
        this.#sent.clear();
        this.#sendMore();
        this.#options.onConnected();
      })
      .catch((error: unknown) => {
        for (const { answer } of this.#pending.values()) answer.reject(error);
      })
      .finally(() => {
        this.#connecting = null;
      });
    return this.#connecting;
  }

  async #reach(): Promise<JsonLines> {
    const { dir, command, timers } = this.#options;
    const { signal } = this.#closing;
    const path = helperSocketOf(dir);
    const limit = AbortSignal.any([signal, AbortSignal.timeout(CONNECT_TIMEOUT_MS)]);
    let spawned: Awaited<ReturnType<typeof spawnHelper>> | null = null;
    for (;;) {
      try {
        return await this.#open(path);
      } catch (error) {
        if (limit.aborted) throw unreachable(`nobody answers on ${path}`, error);
        if (!isNobodyThere(error)) throw unreachable(`${path} cannot be opened`, error);
      }
      if (spawned === null && command !== null) spawned = spawnHelper(dir, command);
      const failure = spawned?.failure() ?? null;
      if (failure !== null) throw unreachable(`it could not be started: ${failure}`);
      await timers.sleep(RETRY_MS, signal);
    }
  }

  async #open(path: string): Promise<JsonLines> {
    const socket = await connectUnix(path);
    const connection = new JsonLines(socket, MAX_HELPER_LINE_BYTES, {
      onLine: (value) => this.#take(value),
      onClose: () => this.#lose(connection),
    });
    return connection;
  }

  #take(value: unknown): void {
    const line = value as HelperAnswer | ExitEvent;
    if ("event" in line) {
      this.#options.onExit(line);
      return;
    }
    const call = this.#pending.get(line.id);
    if (call === undefined) return;
    if ("result" in line) call.answer.resolve(line.result);
    else {
      call.answer.reject(new HypervisorError(line.error.code as HypervisorErrorCode, line.error.message));
    }
  }

  /** Its helper has ended: a machine may have as well, so there is a new connection at once. */
  #lose(connection: JsonLines): void {
    if (this.#connection !== connection) return;
    this.#connection = null;
    if (this.#closing.signal.aborted) return;
    this.#options.log.warn("the host helper has ended; machines go on, and it is started again");
    void this.#connect();
  }
}

function unreachable(reason: string, cause?: unknown): HypervisorError {
  return new HypervisorError("HELPER_UNREACHABLE", `the host helper cannot be reached: ${reason}`, { cause });
}
