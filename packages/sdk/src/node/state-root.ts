import type { Connection } from "../connection.ts";
import { getObject } from "../http/answer-json.ts";

/** Two nodes that hold the same messages have the same root. */
export interface StateRoot {
  readonly root: string;
  /** Number of messages under the root. */
  readonly count: number;
  readonly algorithm: string;
}

/**
 * The state root of the node. Only Twentysix nodes have one; another node answers 404.
 *
 * Errors: SDK_BAD_ANSWER and those of `request`.
 *
 * @example
 * const agree = (await stateRoot(one)).root === (await stateRoot(other)).root;
 */
export async function stateRoot(
  connection: Connection,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<StateRoot> {
  const answer = await getObject(connection, { path: "/api/v1/state-root", signal });
  return { root: answer.text("root"), count: answer.number("count"), algorithm: answer.text("algorithm") };
}
