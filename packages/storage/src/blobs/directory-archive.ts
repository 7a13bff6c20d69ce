import { posix } from "node:path";
import type { CID } from "multiformats/cid";
import type { BlockSource } from "./block-source.ts";
import { listDirectory } from "./dag-directory.ts";
import { readDagFile } from "./dag-file-reader.ts";
import { claimedContentBytes, type DagNode, decodeDagNode } from "./dag-node.ts";
import { BlobError } from "./errors.ts";
import { tarEnd, tarHeader, tarPadding } from "./tar-writer.ts";

export interface ArchiveOptions {
  /** Name of the top entry; the CID by default, as Kubo has it. */
  readonly name?: string;
  /** Ends the archive with ARCHIVE_LIMIT_EXCEEDED: a small DAG can repeat itself into terabytes. */
  readonly maxBytes?: number;
  readonly maxEntries?: number;
  readonly maxDepth?: number;
  readonly signal?: AbortSignal;
}

interface Visit {
  readonly path: string;
  readonly depth: number;
  readonly entries: AsyncGenerator<{ name: string; cid: CID }, void, undefined>;
}

const FILE_MODE = 0o644;
const DIRECTORY_MODE = 0o755;
const DEFAULT_MAX_ENTRIES = 10_000_000;
const DEFAULT_MAX_DEPTH = 128;

/**
 * A directory (or file) as a tar stream, like `ipfs get --archive`: ustar, with pax headers for what does not fit.
 * Times are those of the nodes, else 0, so the same DAG is always the same archive.
 *
 * @throws BlobError ARCHIVE_NAME_UNSAFE for a name that would leave the folder it is unpacked in,
 * ARCHIVE_LIMIT_EXCEEDED, BLOCK_NOT_FOUND, DAG_NODE_INVALID
 */
export async function* archiveDag(
  root: CID,
  blocks: BlockSource,
  options: ArchiveOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  let sizeBytes = 0;
  for await (const piece of archive(root, blocks, options)) {
    sizeBytes += piece.byteLength;
    if (options.maxBytes !== undefined && sizeBytes > options.maxBytes) {
      throw limitExceeded("maxBytes", options.maxBytes);
    }
    yield piece;
  }
}

async function* archive(
  root: CID,
  blocks: BlockSource,
  options: ArchiveOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { signal, maxEntries = DEFAULT_MAX_ENTRIES, maxDepth = DEFAULT_MAX_DEPTH } = options;
  const open: Visit[] = [];
  let entryCount = 0;
  const name = options.name ?? root.toString();
  async function* enter(path: string, cid: CID, depth: number): AsyncGenerator<Uint8Array, void, undefined> {
    entryCount += 1;
    if (entryCount > maxEntries) throw limitExceeded("maxEntries", maxEntries);
    if (depth > maxDepth) throw limitExceeded("maxDepth", maxDepth);
    const node = decodeDagNode({ cid, bytes: await blocks.getBlock(cid, signal) });
    yield memberHeader(path, node, cid);
    if (node.kind === "file") yield* fileBody(cid, node, blocks, signal);
    if (node.kind === "directory") open.push({ path, depth, entries: listDirectory(cid, blocks, signal) });
  }
  yield* enter(assertSafeName(name), root, 0);
  for (let visit = open.at(-1); visit !== undefined; visit = open.at(-1)) {
    const next = await visit.entries.next();
    if (next.done === true) open.pop();
    else yield* enter(`${visit.path}/${assertSafeName(next.value.name)}`, next.value.cid, visit.depth + 1);
  }
  yield tarEnd();
}

function memberHeader(path: string, node: DagNode, cid: CID): Uint8Array {
  const modifiedSeconds = node.modifiedSeconds ?? 0;
  if (node.kind === "directory") {
    return tarHeader({
      path: `${path}/`,
      type: "directory",
      sizeBytes: 0,
      mode: DIRECTORY_MODE,
      modifiedSeconds,
    });
  }
  if (node.kind === "symlink") {
    const linkTarget = assertSafeTarget(path, Buffer.from(node.data).toString("utf8"));
    return tarHeader({ path, type: "symlink", sizeBytes: 0, mode: 0o777, modifiedSeconds, linkTarget });
  }
  if (node.kind === "file") {
    return tarHeader({
      path,
      type: "file",
      sizeBytes: claimedContentBytes(node),
      mode: FILE_MODE,
      modifiedSeconds,
    });
  }
  throw new BlobError("DAG_NODE_INVALID", "an entry is neither a file nor a directory", {
    cid: cid.toString(),
    path,
  });
}

async function* fileBody(
  cid: CID,
  node: DagNode,
  blocks: BlockSource,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield* readDagFile(cid, blocks, signal === undefined ? {} : { signal });
  yield tarPadding(claimedContentBytes(node));
}

function assertSafeName(name: string): string {
  const isUnsafe = name === "" || name === "." || name === ".." || /[/\\\0]/.test(name);
  if (!isUnsafe) return name;
  throw new BlobError("ARCHIVE_NAME_UNSAFE", "a name in the directory would leave the folder when unpacked", {
    name,
  });
}

/** A link may point only to where the archive itself is unpacked. */
function assertSafeTarget(path: string, target: string): string {
  const isInside = !posix.isAbsolute(target) && !posix.join(posix.dirname(path), target).startsWith("..");
  if (isInside && !target.includes("\0")) return target;
  throw new BlobError("ARCHIVE_NAME_UNSAFE", "a symbolic link points out of the archive", { path, target });
}

function limitExceeded(limit: keyof ArchiveOptions, value: number): BlobError {
  return new BlobError("ARCHIVE_LIMIT_EXCEEDED", `the archive goes past its limit ${limit} of ${value}`, {
    [limit]: value,
  });
}
