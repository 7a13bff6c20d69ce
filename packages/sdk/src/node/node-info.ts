import type { Connection } from "../connection.ts";
import { getObject } from "../http/answer-json.ts";

export interface NodeInfo {
  readonly version: string;
  /** libp2p addresses under which the node is reached; in no order. */
  readonly multiaddresses: readonly string[];
}

/**
 * Who the node says it is.
 *
 * Errors: SDK_BAD_ANSWER and those of `request`.
 *
 * @example
 * const { version } = await nodeInfo(connection);
 */
export async function nodeInfo(
  connection: Connection,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<NodeInfo> {
  const [version, info] = await Promise.all([
    getObject(connection, { path: "/api/v0/version", signal }),
    getObject(connection, { path: "/api/v0/info/public.json", signal }),
  ]);
  return { version: version.text("version"), multiaddresses: info.texts("node_multi_addresses") };
}
