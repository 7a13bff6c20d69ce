import type { Clock, Random } from "@twentysix/platform";
import { encodeHex } from "@twentysix/protocol";
import { SchedulerError } from "../errors.ts";
import type { Liveness } from "../state/liveness.ts";
import type { SendRequest } from "./outgoing.ts";
import { authorizationOf, type SchedulerKey } from "./signature.ts";

export interface NodeAnswer {
  readonly status: number;
  /** null when it is none. */
  readonly json: unknown;
  readonly text: string;
}

export interface NodeCall {
  readonly nodeHash: string;
  /** Base URL. */
  readonly address: string;
  readonly method: "GET" | "POST";
  /** From the root of the node: `/about/usage/system`. */
  readonly route: string;
  readonly body?: unknown;
  /** A signed call renews what the node may run; one that may not be answered shall not. */
  readonly isSigned: boolean;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface NodeClientOptions {
  readonly send: SendRequest;
  /** null: calls are not signed. */
  readonly key: SchedulerKey | null;
  /** `X-Auth-Signature` of nodes that know no signatures yet. */
  readonly legacyToken: string | null;
  readonly liveness: Liveness;
  readonly clock: Clock;
  readonly random: Random;
}

/** How long a request may take to reach a node; the node may then work on it for as long as it likes. */
const MAX_DELIVERY_MS = 10_000;

/** Calls nodes as their scheduler. */
export class NodeClient {
  readonly #options: NodeClientOptions;

  constructor(options: NodeClientOptions) {
    this.#options = options;
  }

  /** @throws SchedulerError, PlatformError TIMEOUT; whatever the node answers is an answer. */
  async call(call: NodeCall): Promise<NodeAnswer> {
    const { liveness, send } = this.#options;
    const url = joinUrl(call.address, call.route);
    const body = call.body === undefined ? "" : JSON.stringify(call.body);
    const headers = {
      ...(body === "" ? {} : { "content-type": "application/json" }),
      ...(call.isSigned ? this.#credentials(call.method, new URL(url).pathname, body) : {}),
    };
    const { method, timeoutMs, signal } = call;
    const latestMs = this.#nowMs() + Math.min(timeoutMs, MAX_DELIVERY_MS);
    const ended = call.isSigned ? liveness.contacting(call.nodeHash, latestMs) : null;
    try {
      const { status, text } = await send({ method, url, headers, body, timeoutMs, signal });
      return { status, text, json: jsonOf(text) };
    } finally {
      ended?.(this.#nowMs());
    }
  }

  #credentials(method: string, path: string, body: string): Record<string, string> {
    const { key, legacyToken, random } = this.#options;
    const nonce = encodeHex(random.randomBytes(8));
    const nowMs = this.#nowMs();
    return {
      ...(key === null ? {} : { authorization: authorizationOf(key, { method, path, body, nowMs, nonce }) }),
      ...(legacyToken === null ? {} : { "x-auth-signature": legacyToken }),
    };
  }

  #nowMs(): number {
    return Number(this.#options.clock.nowMicros() / 1_000n);
  }
}

/** A route under a base URL, whose slash at the end counts for nothing. */
export const joinUrl = (address: string, route: string): string => `${address.replace(/\/+$/, "")}${route}`;

/** @throws SchedulerError SCHEDULER_BAD_ANSWER unless the node answered 200 with JSON */
export function jsonOfOk({ status, json }: NodeAnswer, what: string): unknown {
  if (status === 200 && json !== null) return json;
  const why = status === 200 ? "no JSON" : `status ${status}`;
  throw new SchedulerError("SCHEDULER_BAD_ANSWER", `${what}: the node answered with ${why}`);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
