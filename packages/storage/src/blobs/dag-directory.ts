import type { CID } from "multiformats/cid";
import { asReadableStorage, type BlockSource } from "./block-source.ts";
import { type DagNodeLink, decodeDagNode } from "./dag-node.ts";
import { BlobError } from "./errors.ts";

export interface DirectoryEntry {
  readonly name: string;
  readonly cid: CID;
}

/**
 * The entries of a UnixFS directory, plain or sharded, in the order of their links; one block is read at a time.
 * @throws BlobError DAG_NOT_DIRECTORY, BLOCK_NOT_FOUND, DAG_NODE_INVALID
 */
export async function* listDirectory(
  root: CID,
  blocks: BlockSource,
  signal?: AbortSignal,
): AsyncGenerator<DirectoryEntry, void, undefined> {
  const levels = [await openLevel(root, blocks, signal)];
  for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
    const { value: link, done } = level.links.next();
    if (done === true || link === undefined) levels.pop();
    else if (link.name.length === level.slotDigits) levels.push(await openLevel(link.cid, blocks, signal));
    else yield { name: link.name.slice(level.slotDigits), cid: link.cid };
  }
}

/** One directory node; of a plain directory no character of a name is a slot. */
async function openLevel(
  cid: CID,
  blocks: BlockSource,
  signal: AbortSignal | undefined,
): Promise<{ links: Iterator<DagNodeLink>; slotDigits: number | undefined }> {
  const node = decodeDagNode({ cid, bytes: await blocks.getBlock(cid, signal) });
  if (node.kind === "directory") return { links: node.links.values(), slotDigits: node.slotDigits };
  throw new BlobError("DAG_NOT_DIRECTORY", `this is a ${node.kind}, not a directory`, {
    cid: cid.toString(),
  });
}

/**
 * What stands at a path such as `css/site.css` under a directory; the root itself for an empty path.
 * @throws BlobError DAG_PATH_NOT_FOUND, BLOCK_NOT_FOUND, DAG_NODE_INVALID
 */
export async function resolvePath(
  root: CID,
  path: string,
  blocks: BlockSource,
  signal?: AbortSignal,
): Promise<CID> {
  // Most nodes are never asked for a path, and the library is large.
  const { walkPath } = await import("ipfs-unixfs-exporter");
  let found = root;
  const segments = path.split("/").filter((segment) => segment !== "");
  const escaped = [root.toString(), ...segments].join("/");
  const walk = walkPath(escaped, asReadableStorage(blocks), signal === undefined ? {} : { signal });
  while (true) {
    const next = await translated(root, () => walk.next());
    if (next.done === true) return found;
    found = next.value.cid;
  }
}

/** The library's errors as ours; errors of the block source pass unchanged. */
async function translated<T>(root: CID, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { code } = error as { code?: unknown };
    const cid = root.toString();
    if (code === "ERR_NOT_FOUND") {
      throw new BlobError("DAG_PATH_NOT_FOUND", "the directory has no such entry", { cid }, error);
    }
    if (code === "ERR_NOT_UNIXFS") {
      throw new BlobError("DAG_NODE_INVALID", "the block is not a UnixFS node", { cid }, error);
    }
    throw error;
  }
}
