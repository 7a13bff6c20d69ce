import { type LookupAddress, lookup as resolve } from "node:dns";
import { type ClientRequest, request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import type { Timers } from "@twentysix/platform";
import { isPublicAddress } from "@twentysix/platform";
import { SchedulerError } from "../errors.ts";

export interface OutgoingRequest {
  readonly method: "GET" | "POST";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface OutgoingAnswer {
  readonly status: number;
  readonly text: string;
}

export type SendRequest = (request: OutgoingRequest) => Promise<OutgoingAnswer>;

const MAX_ANSWER_BYTES = 8 * 1024 * 1024;

/**
 * Sends requests to nodes, whose addresses strangers wrote: http and https alone, no redirect is followed, an answer
 * has a bound, and private addresses are refused unless the network allows them. `Content-Length` is always sent.
 *
 * Errors: SCHEDULER_UNREACHABLE, SCHEDULER_FORBIDDEN_ADDRESS, SCHEDULER_BAD_ANSWER; PlatformError TIMEOUT; the reason
 * of an aborted signal.
 */
export function createSendRequest(
  timers: Timers,
  { allowsPrivateAddresses }: { readonly allowsPrivateAddresses: boolean },
): SendRequest {
  const isAllowed = (address: string): boolean => allowsPrivateAddresses || isPublicAddress(address);
  const lookup = guardedLookup(isAllowed);
  return ({ timeoutMs, signal, ...request }) =>
    timers.withTimeout(timeoutMs, (inner) => send(request, { lookup, isAllowed }, inner), signal);
}

interface Guard {
  readonly lookup: LookupFunction;
  isAllowed(address: string): boolean;
}

function send(
  { method, url, headers, body }: Omit<OutgoingRequest, "timeoutMs" | "signal">,
  { lookup, isAllowed }: Guard,
  signal: AbortSignal,
): Promise<OutgoingAnswer> {
  const target = new URL(url);
  const literal = target.hostname.replace(/^\[|\]$/g, "");
  if (isIP(literal) !== 0 && !isAllowed(literal)) throw forbidden(target.hostname);
  const bytes = Buffer.from(body, "utf8");
  const start = target.protocol === "https:" ? httpsRequest : httpRequest;
  return new Promise((resolveAnswer, reject) => {
    const fail = (error: unknown): void => reject(failureOf(target, error, signal));
    const sent: ClientRequest = start(
      target,
      {
        method,
        headers: { accept: "application/json", ...headers, "content-length": String(bytes.length) },
        lookup,
        signal,
        // A pooled connection may be dead without knowing: each proof of life is made anew.
        agent: false,
      },
      (answer) => readAnswer(answer).then(resolveAnswer, fail),
    );
    sent.on("error", fail);
    sent.end(bytes);
  });
}

async function readAnswer(answer: IncomingMessage): Promise<OutgoingAnswer> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of answer) {
    const bytes = chunk as Buffer;
    sizeBytes += bytes.length;
    if (sizeBytes > MAX_ANSWER_BYTES) {
      answer.destroy();
      throw new SchedulerError(
        "SCHEDULER_BAD_ANSWER",
        `the answer has more than ${MAX_ANSWER_BYTES} bytes; it is not read`,
      );
    }
    chunks.push(bytes);
  }
  return { status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") };
}

function failureOf(target: URL, error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  if (error instanceof SchedulerError) return error;
  const why = error instanceof Error ? error.message : String(error);
  const text = `${target.origin} did not answer: ${why}`;
  return new SchedulerError("SCHEDULER_UNREACHABLE", text, { cause: error });
}

/** Names are looked up once, and what they stand for is what is connected to. */
function guardedLookup(isAllowed: (address: string) => boolean): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, found) => {
      if (error !== null) return callback(error, "", 0);
      const allowed = found.filter(({ address }) => isAllowed(address));
      const [first] = allowed;
      if (first === undefined) return callback(forbidden(hostname), "", 0);
      if (options.all === true) {
        return (callback as unknown as (error: null, addresses: LookupAddress[]) => void)(null, allowed);
      }
      callback(null, first.address, first.family);
    });
  };
}

const forbidden = (host: string): SchedulerError =>
  new SchedulerError(
    "SCHEDULER_FORBIDDEN_ADDRESS",
    `${host} is a private address: only networks that allow them have nodes there`,
  );
