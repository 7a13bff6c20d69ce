import { isJsonObject, type JsonObject, memberOf } from "@twentysix/protocol";
import { type Connection, listMessages } from "@twentysix/sdk";

const HASHES_PER_QUERY = 50;

/**
 * The compute nodes that executions ask for, by item hash; those that ask for none, and those that are gone, are left
 * out.
 */
export async function requestedNodes(
  connection: Connection,
  itemHashes: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const nodes = new Map<string, string>();
  for (let start = 0; start < itemHashes.length; start += HASHES_PER_QUERY) {
    const hashes = itemHashes.slice(start, start + HASHES_PER_QUERY);
    const { items } = await listMessages(connection, { itemHashes: hashes, pageSize: hashes.length, signal });
    for (const { item_hash: itemHash, content } of items) {
      const node = content === undefined ? null : nodeOf(content);
      if (node !== null) nodes.set(itemHash, node);
    }
  }
  return nodes;
}

function nodeOf(content: JsonObject): string | null {
  const requirements = memberOf(content, "requirements");
  const node = isJsonObject(requirements) ? memberOf(requirements, "node") : undefined;
  const hash = isJsonObject(node) ? memberOf(node, "node_hash") : undefined;
  return typeof hash === "string" ? hash : null;
}
