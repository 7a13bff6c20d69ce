import { createHash } from "node:crypto";
import { isJsonObject, type JsonObject, type JsonValue, memberOf } from "@twentysix/protocol";

/**
 * The node that runs a program for a message: every node that knows the same nodes finds the same one, and when a node
 * goes only its own share moves (rendezvous hashing). null: there are none.
 */
export function chosenNode(
  nodeHashes: readonly string[],
  vmHash: string,
  messageHash: string,
): string | null {
  let chosen: string | null = null;
  let highest = "";
  for (const nodeHash of nodeHashes) {
    const weight = createHash("sha256").update(`${nodeHash}:${vmHash}:${messageHash}`).digest("hex");
    if (chosen === null || weight > highest || (weight === highest && nodeHash > chosen)) {
      chosen = nodeHash;
      highest = weight;
    }
  }
  return chosen;
}

/** Compute nodes of the registry that take part: linked to a core node and not found inactive. */
export function activeComputeNodes(registry: JsonObject | null): readonly string[] {
  const nodes = registry === null ? undefined : memberOf(registry, "resource_nodes");
  if (!Array.isArray(nodes)) return [];
  return (nodes as readonly JsonValue[]).flatMap((node) => {
    if (!isJsonObject(node)) return [];
    const hash = memberOf(node, "hash");
    const isActive =
      memberOf(node, "status") === "linked" && (memberOf(node, "inactive_since") ?? null) === null;
    return typeof hash === "string" && isActive ? [hash] : [];
  });
}
