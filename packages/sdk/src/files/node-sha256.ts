import { createHash } from "node:crypto";
import type { Sha256Hasher } from "./sha256-hasher.ts";

/**
 * Native SHA-256, several times quicker than the one that browsers get.
 *
 * @example
 * const client = createClient({ apiUrl, createSha256: createNodeSha256 });
 */
export function createNodeSha256(): Sha256Hasher {
  return createHash("sha256");
}
