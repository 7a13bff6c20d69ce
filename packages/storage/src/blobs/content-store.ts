import { join } from "node:path";
import type { Timers } from "@twentysix/platform";
import type { CID } from "multiformats/cid";
import type { BlobEngine, BlobServer, BlobStores } from "./blob-engine.ts";
import { isBlobName } from "./blob-paths.ts";
import type { BlobStore, GetOptions, PutOptions, PutResult } from "./blob-store.ts";
import type { BlockIndex, DagRecord } from "./block-index.ts";
import { packNodes } from "./block-pack.ts";
import type { ByteSource } from "./byte-source.ts";
import { limitBytes } from "./byte-source.ts";
import { openCar } from "./car-reader.ts";
import { exportCar } from "./car-writer.ts";
import { Catalog, type ImportClaim } from "./catalog.ts";
import { type Block, parseCid } from "./cids.ts";
import { readDagFile } from "./dag-file-reader.ts";
import type { DagFacts } from "./dag-graph.ts";
import { type DagImportOptions, packDag } from "./dag-import.ts";
import { type DagStat, statDag } from "./dag-stat.ts";
import { type FileDescription, type FileName, FileNamer } from "./describe-file.ts";
import { type ArchiveOptions, archiveDag } from "./directory-archive.ts";
import { makeDurableDirectory } from "./directory-sync.ts";
import { DiskBudget, type DiskUsage } from "./disk-budget.ts";
import { BlobError } from "./errors.ts";
import { fileEngine } from "./file-engine.ts";
import { type FileDag, type FileDagName, FileImport } from "./file-import.ts";
import type { FileSystem } from "./file-system.ts";
import { nodeFileSystem } from "./node-file-system.ts";
import { SqliteBlockIndex } from "./sqlite-block-index.ts";
import { StoredBlocks } from "./stored-blocks.ts";
import type { TreeEntry } from "./tree-import.ts";
import { verifiedBlocks } from "./verified-blocks.ts";

export interface ContentStoreOptions {
  /** Absolute path of the folder for all of it. */
  readonly folder: string;
  readonly timers: Pick<Timers, "sleep">;
  readonly fileSystem?: FileSystem;
  /** What keeps the bytes; plain files in the folder by default. */
  readonly engine?: BlobEngine;
  /** A SQLite file in the folder by default. */
  readonly index?: BlockIndex;
  /** Most bytes of files and packs together. */
  readonly maxBytes?: number;
  /** Bytes that must stay free on the disk. */
  readonly minFreeBytes?: number;
  readonly signal?: AbortSignal;
}

export interface AddFileOptions extends PutOptions {
  /** The DAG that the file must turn out to be; BLOB_HASH_MISMATCH otherwise, and nothing is left. */
  readonly expectedRoot?: string;
}

export interface AddedFile extends PutResult {
  /** The DAGs under which the file is now held, by the names that were asked for. */
  readonly dags: ReadonlyMap<FileDagName, DagRecord>;
}

export interface ImportCarOptions extends DagImportOptions {
  /** Root that the CAR file must name. */
  readonly expectedRoot?: string;
  /** Longest CAR file taken. */
  readonly maxSizeBytes?: number;
}

/** A DAG that was imported. `facts` are counted, the figures of `record` are what the root claims. */
export interface ImportedDag {
  readonly record: DagRecord;
  readonly facts: DagFacts;
}

/**
 * All content of a node under all its names: files by SHA-256, and DAGs (files, directories) by CID.
 *
 * Files stay plain files; their DAGs are cut from them, only the nodes above the leaves being stored. DAGs that
 * came as blocks are kept as those blocks. See docs/decisions/0003-file-names.md.
 */
export class ContentStore implements AsyncDisposable {
  readonly files: BlobStore;
  readonly packs: BlobStore;
  readonly index: BlockIndex;
  /** The server that keeps the bytes; null when the disk of this machine does. */
  readonly server: BlobServer | null;
  /** Every block of every DAG held, each verified as it is read. */
  readonly blocks: StoredBlocks;
  readonly #budget: DiskBudget;
  readonly #catalog: Catalog;
  readonly #stores: BlobStores;

  private constructor(stores: BlobStores, index: BlockIndex, budget: DiskBudget) {
    const { files, packs, server, dags } = stores;
    this.files = files;
    this.packs = packs;
    this.index = index;
    this.server = server;
    this.#stores = stores;
    this.#budget = budget;
    this.blocks = new StoredBlocks(index, { file: files, pack: packs });
    this.#catalog = new Catalog({ files, packs, index, ...(dags === undefined ? {} : { dags }) });
  }

  /** Opens the folder, removes what a crash left of imports, and counts what is held. */
  static async open(options: ContentStoreOptions): Promise<ContentStore> {
    const { folder, fileSystem = nodeFileSystem, engine = fileEngine, signal } = options;
    await makeDurableDirectory(fileSystem, folder);
    const budget = new DiskBudget({ ...options, freeBytes: () => fileSystem.freeBytes(folder) });
    const place = { folder, fileSystem, budget, ...(signal === undefined ? {} : { signal }) };
    const stores = await engine.open(place);
    const index = options.index ?? new SqliteBlockIndex(join(folder, "index.sqlite"), options.timers);
    const store = new ContentStore(stores, index, budget);
    if (stores.server === null) await store.#catalog.sweep(signal);
    else stores.server.whenUsable("remove what nothing names", (stop) => store.#catalog.sweep(stop));
    return store;
  }

  get usage(): DiskUsage {
    return this.#budget.usage;
  }

  /**
   * Stores a file under its SHA-256 and computes the further names asked for in the same pass.
   * @throws BlobError as `BlobStore.put`
   */
  async putFile(
    source: ByteSource,
    options: PutOptions & { readonly names?: readonly FileName[] } = {},
  ): Promise<PutResult & FileDescription> {
    const names = options.names?.filter((name) => name !== "sha256"); // the store computes that one anyway
    const namer = new FileNamer(names ?? []);
    return await this.#catalog.importing(async ({ claimFile }) => {
      const put = await this.files.put(observed(source, namer), { ...options, claim: claimFile });
      await this.#catalog.retainFile(put.sha256);
      return { ...namer.finish(), ...put };
    });
  }

  /**
   * Stores a file as the DAGs asked for, in one pass over its bytes.
   * @throws BlobError as `BlobStore.put`; BLOB_HASH_MISMATCH when no DAG has the expected root
   */
  async addFile(
    source: ByteSource,
    names: readonly [FileDagName, ...FileDagName[]],
    options: AddFileOptions = {},
  ): Promise<AddedFile> {
    const { expectedRoot, signal } = options;
    const canonical = expectedRoot === undefined ? undefined : parseCid(expectedRoot).toString();
    let dags: ReadonlyMap<FileDagName, FileDag> = new Map();
    const bytes = new FileImport(names).pass(source, (found) => {
      assertExpectedRoot(found, canonical);
      dags = found;
    });
    return await this.#catalog.importing(async (claim) => {
      const [layout] = names;
      const put = await this.files.put(bytes, { layout, ...options, claim: claim.claimFile });
      if (put.isNew) this.#catalog.forgetUnless(put.sha256);
      const records = new Map<FileDagName, DagRecord>();
      for (const [name, dag] of dags) records.set(name, await this.#addFileDag(put, dag, claim, signal));
      return { ...put, dags: records };
    });
  }

  /**
   * Stores a DAG from its blocks, in any order.
   * @throws BlobError as `verifiedBlocks` and `packDag`
   */
  async addDag(
    root: CID,
    blocks: AsyncIterable<Block> | Iterable<Block>,
    options: DagImportOptions = {},
  ): Promise<ImportedDag> {
    return await this.#importDag(root, verifiedBlocks(blocks), options);
  }

  /**
   * Stores the DAG of a CARv1 stream.
   * @throws BlobError as `openCar` and `packDag`; CAR_ROOT_MISMATCH, BLOB_SIZE_EXCEEDED
   */
  async importCar(source: ByteSource, options: ImportCarOptions = {}): Promise<ImportedDag> {
    using car = await openCar(limitBytes(source, options.maxSizeBytes), options.signal);
    const { expectedRoot } = options;
    if (expectedRoot !== undefined && expectedRoot !== car.root.toString()) {
      throw new BlobError("CAR_ROOT_MISMATCH", `Root CID does not match (${car.root} != ${expectedRoot})`, {
        root: car.root.toString(),
        expectedRoot,
      });
    }
    return await this.#importDag(car.root, car.blocks(), options);
  }

  /**
   * Stores a tree of files as the directory that `ipfs add -r` makes of it.
   * @throws BlobError DIRECTORY_PATH_INVALID; as `packDag`
   */
  async addDirectory(
    entries: AsyncIterable<TreeEntry> | Iterable<TreeEntry>,
    cidVersion: 0 | 1,
    options: DagImportOptions = {},
  ): Promise<ImportedDag> {
    // Loaded where directories are made of files, which a node that serves does not do.
    const { TreeImport } = await import("./tree-import.ts");
    let root: CID | undefined;
    async function* blocks(): AsyncGenerator<Block, void, undefined> {
      root = (yield* new TreeImport(cidVersion).blocks(entries)).cid;
    }
    const rootOf = (): CID => {
      if (root === undefined) throw new Error("the tree ended without a root");
      return root;
    };
    return await this.#importDag(rootOf, blocks(), options);
  }

  /**
   * The bytes of a file under any of its names.
   * @throws BlobError BLOB_NOT_FOUND, BLOCK_NOT_FOUND, BLOB_RANGE_INVALID, DAG_NOT_FILE, BLOB_CORRUPT, CID_INVALID
   */
  async *read(name: string, options: GetOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    if (isBlobName(name)) return yield* this.files.get(name, options);
    const cid = parseCid(name);
    const file = (await this.index.find(cid.toString()))?.file;
    yield* file === undefined ? readDagFile(cid, this.blocks, options) : this.files.get(file, options);
  }

  /** Type and sizes of what a name stands for; undefined when it is not held. */
  async stat(name: string, signal?: AbortSignal): Promise<DagStat | undefined> {
    if (isBlobName(name)) {
      const found = await this.files.stat(name, signal);
      if (found === undefined) return undefined;
      return { type: "file", sizeBytes: found.sizeBytes, cumulativeSizeBytes: found.sizeBytes };
    }
    const cid = parseCid(name);
    if (!(await this.blocks.hasBlock(cid))) return undefined;
    return await statDag(cid, this.blocks, signal);
  }

  /** A DAG as a CARv1 stream. */
  exportCar(root: string, options: DagImportOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    return exportCar(parseCid(root), this.blocks, options);
  }

  /** A directory (or file) as a tar stream. */
  archive(root: string, options: ArchiveOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    return archiveDag(parseCid(root), this.blocks, options);
  }

  /** Ends the life of content under one name; bytes that another name has stay. False when it was not held. */
  async remove(name: string): Promise<boolean> {
    return isBlobName(name)
      ? await this.#catalog.removeFile(name)
      : await this.#catalog.removeDag(parseCid(name).toString());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.files[Symbol.asyncDispose]();
    await this.packs[Symbol.asyncDispose]();
    await this.#catalog[Symbol.asyncDispose]();
    await this.#stores[Symbol.asyncDispose]();
    await this.index[Symbol.asyncDispose]();
  }

  async #importDag(
    root: CID | (() => CID),
    blocks: AsyncIterable<Block> | Iterable<Block>,
    options: DagImportOptions,
  ): Promise<ImportedDag> {
    return await this.#catalog.importing(async ({ claimPack }) => {
      const packed = await packDag(root, blocks, this.packs, claimPack, options);
      return { record: await this.#catalog.addPacked(packed, options.signal), facts: packed.facts };
    });
  }

  async #addFileDag(
    put: PutResult,
    dag: FileDag,
    { claimPack }: ImportClaim,
    signal: AbortSignal | undefined,
  ): Promise<DagRecord> {
    if (dag.nodes.length === 0) return await this.#catalog.addFileDag(put, dag, undefined, [], signal);
    const { pieces, entries } = packNodes(dag.nodes);
    const pack = await this.packs.put(pieces, {
      claim: claimPack,
      ...(signal === undefined ? {} : { signal }),
    });
    return await this.#catalog.addFileDag(put, dag, pack.sha256, entries, signal);
  }
}

async function* observed(source: ByteSource, namer: FileNamer): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const piece of source) {
    namer.update(piece);
    yield piece;
  }
}

function assertExpectedRoot(dags: ReadonlyMap<FileDagName, FileDag>, expectedRoot: string | undefined): void {
  if (expectedRoot === undefined) return;
  const roots = [...dags.values()].map(({ root }) => root.cid.toString());
  if (roots.includes(expectedRoot)) return;
  throw new BlobError("BLOB_HASH_MISMATCH", "the content has not the CID that was asked for", {
    expectedRoot,
    roots,
  });
}
