import type { FileSystem, ReadableFile, WritableFile } from "../../src/blobs/file-system.ts";

interface SimulatedFile {
  readonly kind: "file";
  live: Uint8Array;
  durable: Uint8Array;
}

interface SimulatedDirectory {
  readonly kind: "directory";
  live: Map<string, SimulatedNode>;
  durable: Map<string, SimulatedNode>;
}

type SimulatedNode = SimulatedFile | SimulatedDirectory;

/** What power loss does to writes that were not synced. */
export type Survival = "none" | { readonly chance: () => number };

/**
 * A disk in memory that keeps, at a crash, only what was synced: the content of synced files under names of
 * synced folders. With a `chance` each other write may also survive, torn, as real disks do.
 */
export class SimulatedDisk implements FileSystem {
  readonly #root: SimulatedDirectory = newDirectory();
  fileSyncs = 0;
  directorySyncs = 0;
  operations = 0;
  /** The power fails at this operation; every later one fails too, until `crash`. */
  failAtOperation = Number.POSITIVE_INFINITY;
  /** What every write fails with. */
  failWrites: Error | undefined;
  freeSpaceBytes = Number.MAX_SAFE_INTEGER;

  /** Power loss and restart. */
  crash(survival: Survival = "none"): void {
    this.failAtOperation = Number.POSITIVE_INFINITY;
    loseUnsynced(this.#root, survival);
  }

  /** Paths of all files. */
  paths(): string[] {
    return [...walkFiles("", this.#root)];
  }

  /** Changes the bytes of a file behind everyone's back. */
  damage(path: string, change: (bytes: Uint8Array) => Uint8Array): void {
    const node = this.#find(path);
    if (node?.kind !== "file") throw new Error(`no file at ${path}`);
    node.live = change(node.live);
    node.durable = node.live;
  }

  async openRead(path: string): Promise<ReadableFile | undefined> {
    this.#step();
    const node = this.#find(path);
    if (node?.kind !== "file") return undefined;
    return {
      sizeBytes: node.live.byteLength,
      read: async (buffer, positionBytes) => {
        this.#step();
        const piece = node.live.subarray(positionBytes, positionBytes + buffer.byteLength);
        buffer.set(piece);
        return piece.byteLength;
      },
      close: async () => {},
    };
  }

  async create(path: string): Promise<WritableFile> {
    this.#step();
    const { directory, name } = this.#parent(path);
    if (directory.live.has(name)) throw Object.assign(new Error(`EEXIST ${path}`), { code: "EEXIST" });
    const file: SimulatedFile = { kind: "file", live: new Uint8Array(), durable: new Uint8Array() };
    directory.live.set(name, file);
    return {
      write: async (bytes) => {
        this.#step();
        if (this.failWrites !== undefined) throw this.failWrites;
        file.live = appended(file.live, bytes);
      },
      sync: async () => {
        this.#step();
        this.fileSyncs += 1;
        file.durable = file.live;
      },
      close: async () => {},
    };
  }

  async rename(from: string, to: string): Promise<void> {
    this.#step();
    const source = this.#parent(from);
    const target = this.#parent(to);
    const node = source.directory.live.get(source.name);
    if (node === undefined) throw Object.assign(new Error(`ENOENT ${from}`), { code: "ENOENT" });
    source.directory.live.delete(source.name);
    target.directory.live.set(target.name, node);
  }

  async unlink(path: string): Promise<boolean> {
    this.#step();
    const { directory, name } = this.#parent(path);
    return directory.live.delete(name);
  }

  async makeDirectory(path: string): Promise<string | undefined> {
    this.#step();
    let directory = this.#root;
    let reached = "";
    let firstNew: string | undefined;
    for (const name of partsOf(path)) {
      reached += `/${name}`;
      const known = directory.live.get(name);
      if (known === undefined) firstNew ??= reached;
      const next = known ?? newDirectory();
      if (next.kind !== "directory") throw new Error(`ENOTDIR ${path}`);
      directory.live.set(name, next);
      directory = next;
    }
    return firstNew;
  }

  async syncDirectory(path: string): Promise<void> {
    this.#step();
    const node = this.#find(path);
    if (node?.kind !== "directory") throw new Error(`no folder at ${path}`);
    // Taken at the start: what is renamed while the sync runs is not covered by it.
    const names = new Map(node.live);
    await new Promise(setImmediate);
    this.#step();
    this.directorySyncs += 1;
    node.durable = names;
  }

  async readDirectory(path: string): Promise<string[]> {
    this.#step();
    const node = this.#find(path);
    if (node?.kind !== "directory") throw new Error(`no folder at ${path}`);
    return [...node.live.keys()];
  }

  async stat(path: string): Promise<{ sizeBytes: number; modifiedMs: number } | undefined> {
    this.#step();
    const node = this.#find(path);
    return node?.kind === "file" ? { sizeBytes: node.live.byteLength, modifiedMs: 0 } : undefined;
  }

  async freeBytes(): Promise<number> {
    return this.freeSpaceBytes;
  }

  #step(): void {
    this.operations += 1;
    if (this.operations >= this.failAtOperation) throw new PowerLoss();
  }

  #find(path: string): SimulatedNode | undefined {
    let node: SimulatedNode | undefined = this.#root;
    for (const name of partsOf(path)) {
      if (node?.kind !== "directory") return undefined;
      node = node.live.get(name);
    }
    return node;
  }

  #parent(path: string): { directory: SimulatedDirectory; name: string } {
    const parts = partsOf(path);
    const name = parts.pop() ?? "";
    const directory = this.#find(`/${parts.join("/")}`);
    if (directory?.kind !== "directory") throw Object.assign(new Error(`ENOENT ${path}`), { code: "ENOENT" });
    return { directory, name };
  }
}

export class PowerLoss extends Error {}

/** Room beyond the end of `live` is used when there is some, so that many small writes stay cheap. */
function appended(live: Uint8Array, bytes: Uint8Array): Uint8Array {
  const end = live.byteOffset + live.byteLength;
  const size = live.byteLength + bytes.byteLength;
  if (end + bytes.byteLength <= live.buffer.byteLength) {
    new Uint8Array(live.buffer).set(bytes, end);
    return new Uint8Array(live.buffer, live.byteOffset, size);
  }
  const room = new ArrayBuffer(Math.max(1024, 2 * size));
  const grown = new Uint8Array(room, 0, size);
  grown.set(live);
  grown.set(bytes, live.byteLength);
  return grown;
}

function newDirectory(): SimulatedDirectory {
  return { kind: "directory", live: new Map(), durable: new Map() };
}

function partsOf(path: string): string[] {
  return path.split("/").filter((part) => part !== "");
}

function loseUnsynced(node: SimulatedNode, survival: Survival): void {
  if (node.kind === "file") {
    const keepsMore = survival !== "none" && survival.chance() < 0.5;
    const kept = keepsMore
      ? node.live.subarray(0, Math.floor(survival.chance() * node.live.length))
      : undefined;
    node.live = kept !== undefined && kept.length > node.durable.length ? kept : node.durable;
    node.durable = node.live;
    return;
  }
  const names = new Map(node.durable);
  if (survival !== "none") {
    for (const name of new Set([...node.durable.keys(), ...node.live.keys()])) {
      if (survival.chance() < 0.5) continue;
      const live = node.live.get(name);
      if (live === undefined) names.delete(name);
      else names.set(name, live);
    }
  }
  node.live = names;
  node.durable = new Map(names);
  for (const child of names.values()) loseUnsynced(child, survival);
}

function* walkFiles(path: string, node: SimulatedNode): Generator<string> {
  if (node.kind === "file") yield path;
  else for (const [name, child] of node.live) yield* walkFiles(`${path}/${name}`, child);
}
