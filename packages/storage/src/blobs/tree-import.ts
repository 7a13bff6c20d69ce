import type { ByteSource } from "./byte-source.ts";
import { type Block, RAW } from "./cids.ts";
import { FIXED_LAYOUT, LAYOUT_V0 } from "./dag-layout.ts";
import { encodeDirectory } from "./directory-node.ts";
import { BlobError } from "./errors.ts";
import { type DagPart, FileDagBuilder } from "./file-dag-builder.ts";
import { wrapLeaf } from "./leaf-frame.ts";

/** A file of a directory tree, or a directory that may stay empty when there is no content. */
export interface TreeEntry {
  /** Relative, with `/` between the names. */
  readonly path: string;
  readonly content?: ByteSource;
}

interface Folder {
  readonly kind: "folder";
  readonly children: Map<string, Folder | DagPart>;
}

const MAX_DEPTH = 128;
const MAX_NAME_BYTES = 1024;

/**
 * Turns a tree of files into the blocks that `ipfs add -r` of Kubo would make of it. Contents pass through one
 * chunk at a time; names and CIDs of the tree stay in memory until the end.
 */
export class TreeImport {
  readonly #cidVersion: 0 | 1;
  readonly #top: Folder = newFolder();

  constructor(cidVersion: 0 | 1) {
    this.#cidVersion = cidVersion;
  }

  /** The blocks of all files and then of the directories, children before parents; returns the root. */
  async *blocks(
    entries: AsyncIterable<TreeEntry> | Iterable<TreeEntry>,
  ): AsyncGenerator<Block, DagPart, undefined> {
    for await (const { path, content } of entries) {
      const { folder, name } = this.#place(path, content !== undefined);
      if (content !== undefined) folder.children.set(name, yield* fileBlocks(content, this.#cidVersion));
    }
    return yield* this.#folderBlocks(this.#top);
  }

  async *#folderBlocks(folder: Folder): AsyncGenerator<Block, DagPart, undefined> {
    const parts = new Map<string, DagPart>();
    for (const [name, child] of folder.children) {
      parts.set(name, isFolder(child) ? yield* this.#folderBlocks(child) : child);
    }
    const { blocks, part } = await encodeDirectory(parts, this.#cidVersion);
    yield* blocks;
    return part;
  }

  /** Makes the folders of a path; the last name must be free when it is to be a file. */
  #place(path: string, isFile: boolean): { folder: Folder; name: string } {
    const names = path.split("/");
    if (names.length > MAX_DEPTH || !names.every(isName)) throw invalidPath(path);
    const name = names.at(-1) ?? "";
    let folder = this.#top;
    for (const part of isFile ? names.slice(0, -1) : names) {
      const child = folder.children.get(part) ?? newFolder();
      if (!isFolder(child)) throw invalidPath(path);
      folder.children.set(part, child);
      folder = child;
    }
    if (isFile && folder.children.has(name)) throw invalidPath(path);
    return { folder, name };
  }
}

async function* fileBlocks(
  content: ByteSource,
  cidVersion: 0 | 1,
): AsyncGenerator<Block, DagPart, undefined> {
  const ready: Block[] = [];
  const builder = new FileDagBuilder(cidVersion === 0 ? LAYOUT_V0 : FIXED_LAYOUT, {
    onLeaf: ({ cid, chunk }) => {
      ready.push({ cid, bytes: cid.code === RAW ? chunk.slice() : wrapLeaf(chunk) });
    },
    onNode: (node) => ready.push(node),
  });
  for await (const piece of content) {
    builder.update(piece);
    yield* ready.splice(0);
  }
  const root = builder.finish();
  yield* ready;
  return root;
}

function newFolder(): Folder {
  return { kind: "folder", children: new Map() };
}

function isFolder(child: Folder | DagPart): child is Folder {
  return "kind" in child;
}

function isName(name: string): boolean {
  return (
    name !== "" &&
    name !== "." &&
    name !== ".." &&
    !name.includes("\0") &&
    Buffer.byteLength(name) <= MAX_NAME_BYTES
  );
}

function invalidPath(path: string): BlobError {
  return new BlobError(
    "DIRECTORY_PATH_INVALID",
    "a path of the tree is relative, names each file once and has no empty or dotted names",
    { path: path.slice(0, 200) },
  );
}
