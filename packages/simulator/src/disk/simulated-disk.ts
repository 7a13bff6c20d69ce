import type { Random } from "@twentysix/platform";
import { happens } from "../random-for.ts";
import type { GeneratedFiles } from "./generated-file.ts";
import { SizedContent } from "./sized-content.ts";

export interface DiskFile {
  readonly kind: "file";
  live: SizedContent;
  durable: SizedContent;
  modifiedMs: number;
}

export interface DiskFolder {
  readonly kind: "folder";
  live: Map<string, DiskNode>;
  durable: Map<string, DiskNode>;
}

/** What stands on the disk of a machine that was switched off. */
export interface MachineImage {
  readonly peerId: string;
  readonly disk: SimulatedDisk;
  /** Folder of its databases. */
  readonly databases: string;
}

export type DiskNode = DiskFile | DiskFolder;

/** How often a write that was not synced survives a loss of power, in a thousand. */
const SURVIVAL_PER_MILLE = 300;

/**
 * A disk that keeps, when the power fails, what was synced: the content of synced files under names of synced folders.
 * Each other write may survive too, torn, as on real disks. When only the process dies, everything that was written stays.
 */
export class SimulatedDisk {
  readonly #files: GeneratedFiles;
  readonly #nowMs: () => number;
  readonly root: DiskFolder;

  /** @param image what stands on it; nothing by default */
  constructor(files: GeneratedFiles, nowMs: () => number, image: DiskFolder = newFolder()) {
    this.#files = files;
    this.#nowMs = nowMs;
    this.root = image;
  }

  /** Everything that stands on it, as another disk can have it. */
  image(): DiskFolder {
    return copyOf(this.root);
  }

  losePower(random: Random): void {
    loseUnsynced(this.root, random);
  }

  find(path: string): DiskNode | undefined {
    let node: DiskNode | undefined = this.root;
    for (const name of partsOf(path)) {
      if (node?.kind !== "folder") return undefined;
      node = node.live.get(name);
    }
    return node;
  }

  file(path: string): DiskFile {
    const node = this.find(path);
    if (node?.kind !== "file") throw failure("ENOENT", path);
    return node;
  }

  folder(path: string): DiskFolder {
    const node = this.find(path);
    if (node?.kind !== "folder") throw failure("ENOENT", path);
    return node;
  }

  create(path: string): DiskFile {
    const { folder, name } = this.#parent(path);
    if (folder.live.has(name)) throw failure("EEXIST", path);
    const content = new SizedContent(this.#files);
    const file: DiskFile = { kind: "file", live: content, durable: content, modifiedMs: this.#nowMs() };
    folder.live.set(name, file);
    return file;
  }

  write(file: DiskFile, offset: number, bytes: Uint8Array): void {
    file.live = file.live.written(offset, bytes);
    file.modifiedMs = this.#nowMs();
  }

  rename(from: string, to: string): void {
    const source = this.#parent(from);
    const target = this.#parent(to);
    const node = source.folder.live.get(source.name);
    if (node === undefined) throw failure("ENOENT", from);
    source.folder.live.delete(source.name);
    target.folder.live.set(target.name, node);
  }

  /** False when there was nothing. */
  remove(path: string): boolean {
    const parts = partsOf(path);
    const name = parts.pop() ?? "";
    const folder = this.find(parts.join("/"));
    return folder?.kind === "folder" && folder.live.delete(name);
  }

  /** The uppermost folder that was new. */
  makeFolder(path: string): string | undefined {
    let folder = this.root;
    let reached = "";
    let firstNew: string | undefined;
    for (const name of partsOf(path)) {
      reached += `/${name}`;
      const known = folder.live.get(name);
      if (known === undefined) firstNew ??= reached;
      const next = known ?? newFolder();
      if (next.kind !== "folder") throw failure("ENOTDIR", path);
      folder.live.set(name, next);
      folder = next;
    }
    return firstNew;
  }

  #parent(path: string): { readonly folder: DiskFolder; readonly name: string } {
    const parts = partsOf(path);
    const name = parts.pop() ?? "";
    return { folder: this.folder(parts.join("/")), name };
  }
}

const failure = (code: string, path: string): Error => Object.assign(new Error(`${code} ${path}`), { code });
const newFolder = (): DiskFolder => ({ kind: "folder", live: new Map(), durable: new Map() });
const partsOf = (path: string): string[] => path.split("/").filter((part) => part !== "");

function copyOf(folder: DiskFolder): DiskFolder {
  const live = new Map(
    [...folder.live].map(([name, node]): [string, DiskNode] => [
      name,
      node.kind === "file" ? { ...node, durable: node.live } : copyOf(node),
    ]),
  );
  return { kind: "folder", live, durable: new Map(live) };
}

function loseUnsynced(node: DiskNode, random: Random): void {
  if (node.kind === "file") {
    const { live, durable } = node;
    const kept = happens(random, SURVIVAL_PER_MILLE) ? live.cut(random.uniform(live.sizeBytes + 1)) : durable;
    node.live = kept.sizeBytes > durable.sizeBytes ? kept : durable;
    node.durable = node.live;
    return;
  }
  const names = new Map(node.durable);
  for (const name of new Set([...node.durable.keys(), ...node.live.keys()])) {
    if (node.live.get(name) === names.get(name) || !happens(random, SURVIVAL_PER_MILLE)) continue;
    const live = node.live.get(name);
    if (live === undefined) names.delete(name);
    else names.set(name, live);
  }
  node.live = names;
  node.durable = new Map(names);
  for (const child of names.values()) loseUnsynced(child, random);
}
