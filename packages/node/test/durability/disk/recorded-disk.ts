import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { DiskRecord } from "./read-log.ts";

/** What a loss of power does to changes that were not synced: all are lost, or each with a chance, torn. */
export type Survival = "none" | { readonly chance: () => number };

type Node = FileNode | FolderNode;
type ByteChange = { readonly at: number; readonly bytes: Buffer } | { readonly sizeBytes: number };
/** Names that come or go in one step. */
type NameChange = readonly (readonly [name: string, node: Node | null])[];

const SECTOR_BYTES = 512;

interface FileNode {
  readonly kind: "file";
  durable: Buffer;
  pending: ByteChange[];
}

interface FolderNode {
  readonly kind: "folder";
  live: Map<string, Node>;
  durable: Map<string, Node>;
  pending: NameChange[];
}

/**
 * A disk made again from what a process did to it. Only what was synced is durable: the bytes of a file by a sync
 * of the file, its name by a sync of the folder that holds the name. No journal orders anything.
 */
export class RecordedDisk {
  readonly #rootPath: string;
  readonly #root: FolderNode = newFolder();
  /** Pending changes that a running sync covers, by its number. */
  readonly #syncs = new Map<number, { readonly node: Node; readonly covered: number }>();

  constructor(rootPath: string) {
    this.#rootPath = rootPath;
  }

  apply(record: DiskRecord): void {
    const { kind, number, path, data } = record;
    if (kind === "create") this.#name(path, { kind: "file", durable: Buffer.alloc(0), pending: [] });
    else if (kind === "mkdir") this.#name(path, newFolder());
    else if (kind === "unlink" || kind === "rmdir") this.#name(path, null);
    else if (kind === "rename") this.#rename(path, record.second);
    else if (kind === "write") this.#file(path).pending.push({ at: number, bytes: data });
    else if (kind === "truncate") this.#file(path).pending.push({ sizeBytes: number });
    else if (kind === "syncBegin") this.#beginSync(number, path);
    else if (kind === "syncEnd") this.#endSync(number);
  }

  /** Writes into an empty folder what a restart after a loss of power would find. */
  writeCrashed(folder: string, survival: Survival): void {
    writeFolder(this.#root, folder, survival);
  }

  /** Every file as the process saw it at last, by its path below the root. */
  liveFiles(): Map<string, Buffer> {
    const files = new Map<string, Buffer>();
    const walk = (node: Node, path: string): void => {
      if (node.kind === "file") files.set(path, changed(node.durable, node.pending));
      else for (const [name, child] of node.live) walk(child, join(path, name));
    };
    walk(this.#root, "");
    return files;
  }

  #beginSync(number: number, path: string): void {
    const node = this.#find(path);
    if (node !== undefined) this.#syncs.set(number, { node, covered: node.pending.length });
  }

  #endSync(number: number): void {
    const sync = this.#syncs.get(number);
    this.#syncs.delete(number);
    if (sync === undefined) return;
    const { node, covered } = sync;
    if (node.kind === "file") node.durable = changed(node.durable, node.pending.slice(0, covered));
    else for (const names of node.pending.slice(0, covered)) setNames(node.durable, names);
    // Another sync of the same node may run: what it covers is counted from the new start.
    for (const [other, running] of this.#syncs) {
      if (running.node === node) {
        this.#syncs.set(other, { node, covered: Math.max(0, running.covered - covered) });
      }
    }
    node.pending.splice(0, covered);
  }

  #rename(from: string, to: string): void {
    const node = this.#find(from);
    if (node === undefined) throw new Error(`The log renames ${from}, which is not there`);
    const source = this.#place(from);
    const target = this.#place(to);
    if (source.folder === target.folder) {
      change(source.folder, [
        [source.name, null],
        [target.name, node],
      ]);
      return;
    }
    change(target.folder, [[target.name, node]]);
    change(source.folder, [[source.name, null]]);
  }

  #name(path: string, node: Node | null): void {
    if (path === this.#rootPath) return;
    const { folder, name } = this.#place(path);
    change(folder, [[name, node]]);
  }

  #file(path: string): FileNode {
    const node = this.#find(path);
    if (node?.kind !== "file") throw new Error(`The log changes ${path}, which is no file`);
    return node;
  }

  #place(path: string): { folder: FolderNode; name: string } {
    const end = path.lastIndexOf("/");
    const folder = this.#find(path.slice(0, end));
    if (folder?.kind !== "folder") throw new Error(`The log names ${path}, whose folder is not there`);
    return { folder, name: path.slice(end + 1) };
  }

  #find(path: string): Node | undefined {
    let node: Node | undefined = this.#root;
    for (const name of path.slice(this.#rootPath.length).split("/")) {
      if (name === "") continue;
      if (node?.kind !== "folder") return undefined;
      node = node.live.get(name);
    }
    return node;
  }
}

function newFolder(): FolderNode {
  return { kind: "folder", live: new Map(), durable: new Map(), pending: [] };
}

function change(folder: FolderNode, names: NameChange): void {
  setNames(folder.live, names);
  folder.pending.push(names);
}

function setNames(folder: Map<string, Node>, names: NameChange): void {
  for (const [name, node] of names) {
    if (node === null) folder.delete(name);
    else folder.set(name, node);
  }
}

function changed(bytes: Buffer, changes: readonly ByteChange[]): Buffer {
  let sizeBytes = bytes.length;
  let room = bytes.length;
  for (const change of changes) {
    sizeBytes = "at" in change ? Math.max(sizeBytes, change.at + change.bytes.length) : change.sizeBytes;
    room = Math.max(room, sizeBytes);
  }
  const result = Buffer.alloc(room);
  bytes.copy(result);
  for (const change of changes) {
    if ("at" in change) change.bytes.copy(result, change.at);
    else result.fill(0, change.sizeBytes);
  }
  return result.subarray(0, sizeBytes);
}

function crashedBytes(node: FileNode, survival: Survival): Buffer {
  if (survival === "none") return node.durable;
  const kept = node.pending.filter(() => survival.chance() < 0.5);
  return changed(
    node.durable,
    kept.map((one) => torn(one, survival.chance)),
  );
}

/** A disk writes whole sectors, and may lose power between two of them. */
function torn(change: ByteChange, chance: () => number): ByteChange {
  if (!("at" in change) || chance() < 0.7) return change;
  const sectors = Math.floor((chance() * change.bytes.length) / SECTOR_BYTES);
  return { at: change.at, bytes: change.bytes.subarray(0, sectors * SECTOR_BYTES) };
}

function crashedNames(node: FolderNode, survival: Survival): Map<string, Node> {
  const names = new Map(node.durable);
  if (survival === "none") return names;
  for (const change of node.pending) if (survival.chance() < 0.5) setNames(names, change);
  return names;
}

function writeFolder(folder: FolderNode, path: string, survival: Survival): void {
  mkdirSync(path, { recursive: true });
  for (const [name, node] of crashedNames(folder, survival)) {
    if (node.kind === "folder") writeFolder(node, join(path, name), survival);
    // The index of a write-ahead log is memory shared between processes; it never outlives a restart.
    else if (!name.endsWith("-shm")) writeFileSync(join(path, name), crashedBytes(node, survival));
  }
}
