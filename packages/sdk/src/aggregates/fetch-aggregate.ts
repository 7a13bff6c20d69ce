import type { JsonObject } from "@twentysix/protocol";
import type { Connection } from "../connection.ts";
import { findObject } from "../http/answer-json.ts";
import { buildQuery } from "../http/query.ts";

export interface FetchAggregateParameters {
  /** The owner, in the exact case in which it was written. */
  readonly address: string;
  readonly key: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The merged content of one aggregate; null when its owner has none of that key.
 *
 * Errors: SDK_INVALID_INPUT, SDK_BAD_ANSWER and those of `request`.
 *
 * @example
 * const profile = await fetchAggregate(connection, { address: account.address, key: "profile" });
 */
export async function fetchAggregate(
  connection: Connection,
  { address, key, signal }: FetchAggregateParameters,
): Promise<JsonObject | null> {
  const answer = await findObject(connection, {
    path: `/api/v0/aggregates/${encodeURIComponent(address)}.json`,
    query: buildQuery({ keys: [key] }),
    signal,
  });
  if (answer === null) return null;
  const data = answer.object("data");
  return Object.hasOwn(data.value, key) ? data.object(key).value : null;
}
