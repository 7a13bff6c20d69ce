import { isJsonObject, memberOf } from "@twentysix/protocol";
import type { Connection } from "../connection.ts";
import { readObject } from "../http/answer-json.ts";
import { request } from "../http/request.ts";

export interface NotifyAllocationParameters {
  /** Of an instance whose message names the node. */
  readonly itemHash: string;
  /** Bound on downloads and start; fifteen minutes by default. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface AllocationOutcome {
  readonly isStarted: boolean;
  /** Why not, in the node's words; null where it is started, or nothing was said. */
  readonly error: string | null;
}

const TIMEOUT_MS = 900_000;

/**
 * Asks a compute node to start an instance that names it. A node that runs it already says so too.
 *
 * Errors: those of `request`; 402 as SDK_HTTP_ERROR where the payment does not suffice.
 */
export async function notifyAllocation(
  connection: Connection,
  { itemHash, timeoutMs = TIMEOUT_MS, signal }: NotifyAllocationParameters,
): Promise<AllocationOutcome> {
  const answer = await request(connection, {
    method: "POST",
    path: "/control/allocation/notify",
    body: JSON.stringify({ instance: itemHash }),
    accept: [503],
    retries: 0,
    timeoutMs,
    signal,
  });
  const { value } = readObject(connection, answer);
  const errors = memberOf(value, "errors");
  const own = isJsonObject(errors) ? memberOf(errors, itemHash) : memberOf(value, "error");
  return {
    isStarted: memberOf(value, "success") === true,
    error: typeof own === "string" ? own : null,
  };
}
