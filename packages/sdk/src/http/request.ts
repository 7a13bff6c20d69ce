import { backOffDelayMs } from "../back-off.ts";
import type { Connection } from "../connection.ts";
import { SdkError } from "../errors.ts";
import { sleep, withDeadline } from "../wait.ts";
import { httpError, readNodeError } from "./node-error.ts";
import { readBody } from "./read-body.ts";

export interface RequestParameters {
  readonly method: "GET" | "POST" | "DELETE";
  /** From the root of the API, with its leading slash; parts from outside must be encoded. */
  readonly path: string;
  readonly query?: URLSearchParams | undefined;
  readonly body?: string | FormData;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Repetitions in place of those of the connection. */
  readonly retries?: number | undefined;
  /** Statuses beside 2xx that are an answer and not an error. */
  readonly accept?: readonly number[];
  readonly timeoutMs?: number | undefined;
  readonly maxBytes?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Answer {
  readonly url: string;
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array;
}

const RETRIED_STATUSES = new Set([429, 502, 503, 504]);
const BACK_OFF = { initialMs: 200, maxMs: 10_000 };
const MAX_RETRY_AFTER_MS = 60_000;
const MAX_ERROR_BYTES = 1024 * 1024;

/**
 * One call to the node, repeated after a lost connection or a passing refusal. Repeating is safe for writes too:
 * messages and files are named by their hash.
 *
 * Errors: SDK_HTTP_ERROR, SDK_NETWORK_ERROR, SDK_TIMEOUT (of the call with all its repetitions),
 * SDK_ANSWER_TOO_LARGE.
 */
export function request(connection: Connection, parameters: RequestParameters): Promise<Answer> {
  const query = parameters.query?.toString() ?? "";
  const url = `${connection.apiUrl}${parameters.path}${query === "" ? "" : `?${query}`}`;
  const { runtime } = connection;
  const timeoutMs = parameters.timeoutMs ?? connection.timeoutMs;
  const operation = `${parameters.method} ${url}`;
  return withDeadline(runtime, { operation, timeoutMs, signal: parameters.signal }, async (signal) => {
    for (let attempt = 0; ; attempt += 1) {
      const outcome = await attemptOnce(connection, parameters, url, signal);
      if ("bytes" in outcome) return outcome;
      if (attempt >= (parameters.retries ?? connection.retries)) throw failure(outcome, url, attempt + 1);
      await sleep(runtime, outcome.retryAfterMs ?? backOffDelayMs(runtime, BACK_OFF, attempt), signal);
    }
  });
}

/** A failure that may pass. */
type Passing = { readonly error: SdkError | TypeError; readonly retryAfterMs: number | null };

async function attemptOnce(
  connection: Connection,
  parameters: RequestParameters,
  url: string,
  signal: AbortSignal,
): Promise<Answer | Passing> {
  const received = await receive(connection, parameters, url, signal);
  if ("error" in received || isAnswer(parameters, received.status)) return received;
  const error = httpError(url, received.status, readNodeError(received.bytes));
  if (!RETRIED_STATUSES.has(received.status)) throw error;
  return { error, retryAfterMs: retryAfterMs(received.headers) };
}

async function receive(
  connection: Connection,
  parameters: RequestParameters,
  url: string,
  signal: AbortSignal,
): Promise<Answer | Passing> {
  try {
    const response = await connection.fetch(url, requestInit(parameters, signal));
    const { status, headers } = response;
    const answerBytes = parameters.maxBytes ?? connection.maxAnswerBytes;
    const maxBytes = isAnswer(parameters, status) ? answerBytes : MAX_ERROR_BYTES;
    return { url, status, headers, bytes: await readBody(response, url, maxBytes) };
  } catch (error) {
    signal.throwIfAborted();
    // The platform reports every loss of the connection as a TypeError.
    if (error instanceof TypeError) return { error, retryAfterMs: null };
    throw error;
  }
}

function isAnswer({ accept = [] }: RequestParameters, status: number): boolean {
  return (status >= 200 && status < 300) || accept.includes(status);
}

function requestInit(parameters: RequestParameters, signal: AbortSignal): RequestInit {
  const { method, body, headers = {} } = parameters;
  if (body === undefined) return { method, signal, headers };
  if (typeof body !== "string") return { method, signal, body, headers };
  return { method, signal, body, headers: { "content-type": "application/json", ...headers } };
}

function failure({ error }: Passing, url: string, attempts: number): SdkError {
  if (error instanceof SdkError) return error;
  const message = `${url} cannot be reached (${attempts} attempts): ${reasonOf(error)}; check the address and the network`;
  return new SdkError("SDK_NETWORK_ERROR", message, { url, attempts }, error);
}

function reasonOf(error: TypeError): string {
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message;
}

/** Only the form in seconds: nodes send no other. */
function retryAfterMs(headers: Headers): number | null {
  const text = headers.get("retry-after");
  return text !== null && /^\d+$/.test(text) ? Math.min(Number(text) * 1000, MAX_RETRY_AFTER_MS) : null;
}
