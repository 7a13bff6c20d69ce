import { isAbortOf, type Logger, type Timers } from "@twentysix/platform";
import { ChainError } from "../errors.ts";
import { httpText } from "../http-text.ts";

export interface JsonRpcOptions {
  /** The first that answers is used until it fails. */
  readonly urls: readonly string[];
  /** Every one of them must be on this chain; null: not known. */
  readonly chainId: number | null;
  readonly timers: Pick<Timers, "withTimeout">;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

interface JsonRpcAnswer {
  readonly result?: unknown;
  readonly error?: { readonly code?: unknown; readonly message?: unknown; readonly data?: unknown };
}

/** "Limit exceeded" of EIP-1474: a smaller range may be answered. */
const LIMIT_EXCEEDED = -32_005;
/** Faults of the server, and what some call the lack of rights or of requests left: another one may do better. */
const SERVER_FAULTS = new Set([-32_603, -32_016, -32_097, 429]);

/** The RPC understood the request and says no. */
export class RpcRefusal extends Error {
  readonly rpcCode: number;

  constructor(method: string, rpcCode: number, message: string) {
    super(`${method}: ${message} (${rpcCode})`);
    this.name = "RpcRefusal";
    this.rpcCode = rpcCode;
  }
}

/** JSON-RPC over HTTP with several servers: one that fails, hangs or is on another chain is passed over. */
export class JsonRpc {
  readonly #options: JsonRpcOptions;
  readonly #checked = new Set<string>();
  #preferred = 0;
  #nextId = 1;

  constructor(options: JsonRpcOptions) {
    this.#options = options;
  }

  /**
   * @throws ChainError CHAIN_RPC_UNAVAILABLE, CHAIN_ANSWER_TOO_LARGE; RpcRefusal; the signal's reason
   */
  async request({ method, params = [] }: { method: string; params?: unknown }): Promise<unknown> {
    const { urls, log, signal } = this.#options;
    const failures: string[] = [];
    for (let tried = 0; tried < urls.length; tried += 1) {
      const index = (this.#preferred + tried) % urls.length;
      const url = urls[index] ?? "";
      try {
        await this.#checkChain(url);
        const result = await this.#ask(url, method, params);
        this.#preferred = index;
        return result;
      } catch (error) {
        if (isAbortOf(signal, error) || signal.aborted) throw error;
        if (error instanceof RpcRefusal && !SERVER_FAULTS.has(error.rpcCode)) throw error;
        if (error instanceof ChainError && error.code === "CHAIN_ANSWER_TOO_LARGE") throw error;
        log.debug("An RPC failed", { host: new URL(url).host, method, error });
        failures.push(`${new URL(url).host}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    throw new ChainError("CHAIN_RPC_UNAVAILABLE", `No RPC answered ${method}: ${failures.join("; ")}`);
  }

  async #checkChain(url: string): Promise<void> {
    const { chainId } = this.#options;
    if (chainId === null || this.#checked.has(url)) return;
    const found = Number(await this.#ask(url, "eth_chainId", []));
    if (found !== chainId) throw new Error(`it is on chain ${found}, not ${chainId}`);
    this.#checked.add(url);
  }

  async #ask(url: string, method: string, params: unknown): Promise<unknown> {
    const { timers, signal } = this.#options;
    const id = this.#nextId;
    this.#nextId += 1;
    const json = { jsonrpc: "2.0", id, method, params };
    const { status, body } = await httpText(url, { timers, signal, json });
    return resultOf(method, status, body);
  }
}

function resultOf(method: string, status: number, body: string): unknown {
  let answer: JsonRpcAnswer;
  try {
    answer = JSON.parse(body) as JsonRpcAnswer;
  } catch (error) {
    if (error instanceof SyntaxError) throw new Error(`HTTP ${status} without JSON`);
    throw error;
  }
  const { error } = answer ?? {};
  if (error !== undefined && error !== null) {
    const code = Number(error.code);
    const message = String(error.message);
    if (code === LIMIT_EXCEEDED) throw new ChainError("CHAIN_ANSWER_TOO_LARGE", `${method}: ${message}`);
    throw new RpcRefusal(method, code, message);
  }
  if (status !== 200 || answer?.result === undefined) throw new Error(`HTTP ${status} without a result`);
  return answer.result;
}
