import type { StoredItemType } from "@twentysix/protocol";
import type { Connection } from "../connection.ts";
import { SdkError } from "../errors.ts";
import { cidV0OfFile } from "./cid-v0.ts";
import type { FileSource } from "./file-source.ts";
import { sha256OfFile } from "./sha256-hasher.ts";

/** The name that a node must give to a file: its SHA-256 in node storage, its CIDv0 on IPFS. */
export function hashFile(
  { createSha256 }: Pick<Connection, "createSha256">,
  { file, engine, signal }: { file: FileSource; engine: StoredItemType; signal?: AbortSignal | undefined },
): Promise<string> {
  return engine === "storage"
    ? sha256OfFile(file, createSha256, signal)
    : cidV0OfFile(file, createSha256, signal);
}

/** Error: SDK_HASH_MISMATCH when the two names differ. */
export function checkHash(expected: string, actual: string, what: string): void {
  if (expected === actual) return;
  const message = `${what} has the hash ${actual}, not ${expected}; the node is faulty or lies: use another one`;
  throw new SdkError("SDK_HASH_MISMATCH", message, { expected, actual });
}
