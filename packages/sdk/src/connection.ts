import { nobleSha256 } from "@twentysix/protocol";
import { invalidInput } from "./errors.ts";
import type { CreateSha256 } from "./files/sha256-hasher.ts";
import { createMessageClock, type MessageClock } from "./message-clock.ts";
import { type Runtime, systemRuntime } from "./runtime.ts";
import type { WebSocketConstructor } from "./websocket/web-socket.ts";

/** The part of `fetch` that this package calls. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/**
 * How numbers of answers are read. `exact`: integers that a double cannot hold become bigints. `double`: the
 * platform's own reader, quicker on large answers, with integers beyond 2^53 rounded.
 */
export type NumberReading = "exact" | "double";

export interface ConnectionOptions {
  /** Base URL of a node, `http` or `https`, for example `https://node.example`. */
  readonly apiUrl: string;
  /** The platform's own by default. */
  readonly fetch?: Fetch;
  /** The platform's own by default. */
  readonly webSocket?: WebSocketConstructor;
  /** Bound on one call with all its repetitions; 30 000 by default. Waits and uploads have bounds of their own. */
  readonly timeoutMs?: number;
  /** Repetitions after a lost connection or an answer 429, 502, 503 or 504; 3 by default. */
  readonly retries?: number;
  /** Longest JSON answer that is read; 64 MiB by default. */
  readonly maxAnswerBytes?: number;
  /** `exact` by default. */
  readonly numbers?: NumberReading;
  /**
   * The topic of the network, for nodes so old that they lack the submission route. Without it such a node is
   * an error.
   */
  readonly messageTopic?: string;
  /** SHA-256 of files; pure JavaScript by default. Node programs pass `createNodeSha256` of the `/node` entry. */
  readonly createSha256?: CreateSha256;
  readonly runtime?: Runtime;
}

/** One node and how to talk to it: the first argument of every operation. It holds no socket open. */
export interface Connection {
  /** Without a slash at its end. */
  readonly apiUrl: string;
  readonly fetch: Fetch;
  readonly webSocket: WebSocketConstructor | null;
  readonly timeoutMs: number;
  readonly retries: number;
  readonly maxAnswerBytes: number;
  readonly numbers: NumberReading;
  readonly messageTopic: string | null;
  readonly createSha256: CreateSha256;
  readonly runtime: Runtime;
  readonly clock: MessageClock;
}

const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** Error: SDK_INVALID_INPUT for a URL that is not http(s) or for bounds that bound nothing. */
export function createConnection(options: ConnectionOptions): Connection {
  const runtime = options.runtime ?? systemRuntime;
  return {
    apiUrl: baseUrl(options.apiUrl),
    fetch: options.fetch ?? ((url, init) => globalThis.fetch(url, init)),
    webSocket: options.webSocket ?? globalThis.WebSocket ?? null,
    timeoutMs: positive("timeoutMs", options.timeoutMs ?? 30_000),
    retries: notNegative("retries", options.retries ?? 3),
    maxAnswerBytes: positive("maxAnswerBytes", options.maxAnswerBytes ?? MAX_ANSWER_BYTES),
    numbers: options.numbers ?? "exact",
    messageTopic: options.messageTopic ?? null,
    createSha256: options.createSha256 ?? (() => nobleSha256.create()),
    runtime,
    clock: createMessageClock(runtime),
  };
}

function baseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw invalidInput("apiUrl", `"${text}" is not an http or https URL; give the base URL of a node`);
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, "");
}

function positive(parameter: string, value: number): number {
  if (value > 0 && Number.isFinite(value)) return value;
  throw invalidInput(parameter, `${parameter} is ${value}; give a finite number above 0`);
}

function notNegative(parameter: string, value: number): number {
  if (value >= 0 && Number.isInteger(value)) return value;
  throw invalidInput(parameter, `${parameter} is ${value}; give an integer from 0`);
}
