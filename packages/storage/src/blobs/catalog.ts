import type { DagPublisher } from "./blob-engine.ts";
import type { BlobStore, PutResult } from "./blob-store.ts";
import type { BlockEntry, BlockIndex, DagRecord } from "./block-index.ts";
import { Claims } from "./claims.ts";
import type { PackedDag } from "./dag-import.ts";
import type { FileDag } from "./file-import.ts";
import { KeyedLock } from "./keyed-lock.ts";
import { carOfPack, packSections } from "./pack-car.ts";

/** What one import takes hold of. */
export interface ImportClaim {
  claimFile(sha256: string): void;
  claimPack(sha256: string): void;
}

export interface CatalogParts {
  readonly files: BlobStore;
  readonly packs: BlobStore;
  readonly index: BlockIndex;
  /** Makes DAGs that came as blocks known elsewhere. */
  readonly dags?: DagPublisher;
}

/**
 * Keeps files, packs and the index of DAGs true to each other: bytes come first and go last, so that at any moment
 * what the index names is there. Files are kept while they are wanted under their SHA-256 or by a DAG.
 */
export class Catalog implements AsyncDisposable {
  readonly #parts: CatalogParts;
  readonly #files = new Claims();
  readonly #packs = new Claims();
  readonly #locks = new KeyedLock();
  readonly #running = new Set<Promise<unknown>>();

  constructor(parts: CatalogParts) {
    this.#parts = parts;
  }

  /** Runs an import; whatever it claimed and did not bring into the index is removed at its end. */
  importing<T>(work: (claim: ImportClaim) => Promise<T>): Promise<T> {
    const running = this.#import(work);
    this.#running.add(running);
    const forget = (): void => {
      this.#running.delete(running);
    };
    running.then(forget, forget);
    return running;
  }

  /** Waits for the imports in progress to end; the stores end them when they close. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#running);
  }

  /** Notes that a file is wanted under its SHA-256, whatever DAGs have it too. */
  async retainFile(sha256: string): Promise<void> {
    await this.#locks.run(`file:${sha256}`, async () => {
      this.#files.setWanted(sha256, true);
      await this.#disown(sha256);
    });
  }

  /** Says of a file that an import brought: unless somebody else wants it, it goes when the import fails. */
  forgetUnless(sha256: string): void {
    if (this.#files.isWanted(sha256) === undefined) this.#files.setWanted(sha256, false);
  }

  /** Adds the DAG of a file that was put under a claim; an equal DAG that is known already stays. */
  async addFileDag(
    put: PutResult,
    dag: FileDag,
    pack: string | undefined,
    packed: readonly BlockEntry[],
    signal?: AbortSignal,
  ): Promise<DagRecord> {
    const root = dag.root.cid.toString();
    return await this.#adding(root, pack, () =>
      this.#locks.run(`file:${put.sha256}`, async () => {
        const isWanted = this.#files.isWanted(put.sha256) ?? !put.isNew;
        const isOwned = (await this.#parts.index.rootsOfFile(put.sha256)).some(({ ownsFile }) => ownsFile);
        const record: DagRecord = {
          root,
          type: "file",
          sizeBytes: dag.root.contentBytes,
          cumulativeSizeBytes: dag.root.cumulativeBytes,
          file: put.sha256,
          ...(pack === undefined ? {} : { pack }),
          ownsFile: !isWanted && !isOwned,
        };
        await this.#parts.index.add(record, [...dag.leaves, ...packed], signal);
        return record;
      }),
    );
  }

  /** Adds a DAG that stands in a pack put under a claim; an equal DAG that is known already stays. */
  async addPacked({ root, pack, stat, entries }: PackedDag, signal?: AbortSignal): Promise<DagRecord> {
    const text = root.toString();
    return await this.#adding(text, pack, async () => {
      const record: DagRecord = { root: text, ...stat, pack, ownsFile: false };
      const car = (): AsyncIterable<Uint8Array> =>
        carOfPack(root, this.#parts.packs.get(pack, packSections(signal)));
      await this.#parts.dags?.publish(text, car, signal);
      await this.#parts.index.add(record, entries, signal);
      return record;
    });
  }

  /** Ends the life of a file under its SHA-256; the bytes stay while a DAG has them. False when unknown. */
  async removeFile(sha256: string): Promise<boolean> {
    return await this.#locks.run(`file:${sha256}`, async () => {
      const { files, index } = this.#parts;
      if (!(await files.has(sha256))) return false;
      this.#files.setWanted(sha256, false);
      const [first] = await index.rootsOfFile(sha256);
      if (first === undefined) await files.delete(sha256, { isClaimed: (name) => this.#files.has(name) });
      else if (!first.ownsFile) await index.setOwnsFile(first.root, true);
      return true;
    });
  }

  /** Removes a DAG and whatever only it needed. False when unknown. */
  async removeDag(root: string): Promise<boolean> {
    return await this.#locks.run(`root:${root}`, async () => {
      const record = await this.#parts.index.find(root);
      if (record === undefined) return false;
      const { file, pack } = record;
      await this.#parts.dags?.unpublish(root);
      if (file === undefined) await this.#parts.index.remove(root);
      else await this.#locks.run(`file:${file}`, () => this.#removeFileDag(record, file));
      if (pack !== undefined) await this.#removePack(pack);
      return true;
    });
  }

  /** Removes packs that no DAG has, and takes back DAGs that are not held: a process died in between. */
  async sweep(signal?: AbortSignal): Promise<void> {
    const { packs, dags } = this.#parts;
    for await (const { sha256 } of packs.list(signal === undefined ? {} : { signal })) {
      await this.#removePack(sha256);
    }
    for (const root of dags?.published() ?? []) {
      await this.#locks.run(`root:${root}`, async () => {
        if ((await this.#parts.index.find(root)) === undefined) await dags?.unpublish(root);
      });
    }
  }

  async #import<T>(work: (claim: ImportClaim) => Promise<T>): Promise<T> {
    const files: string[] = [];
    const packs: string[] = [];
    try {
      return await work({
        claimFile: (sha256) => {
          this.#files.add(sha256);
          files.push(sha256);
        },
        claimPack: (sha256) => {
          this.#packs.add(sha256);
          packs.push(sha256);
        },
      });
    } finally {
      for (const sha256 of packs) await this.#dropPack(sha256);
      for (const sha256 of files) await this.#dropFile(sha256);
    }
  }

  async #adding(root: string, pack: string | undefined, add: () => Promise<DagRecord>): Promise<DagRecord> {
    return await this.#locks.run(`root:${root}`, async () => {
      const known = await this.#parts.index.find(root);
      if (known !== undefined) return known;
      return pack === undefined ? await add() : await this.#locks.run(`pack:${pack}`, add);
    });
  }

  async #removeFileDag({ root, ownsFile }: DagRecord, file: string): Promise<void> {
    const { files, index } = this.#parts;
    await index.remove(root);
    if (!ownsFile) return;
    const [heir] = await index.rootsOfFile(file);
    if (heir !== undefined) await index.setOwnsFile(heir.root, true);
    else {
      this.forgetUnless(file);
      await files.delete(file, { isClaimed: (name) => this.#files.has(name) });
    }
  }

  async #disown(sha256: string): Promise<void> {
    for (const { root, ownsFile } of await this.#parts.index.rootsOfFile(sha256)) {
      if (ownsFile) await this.#parts.index.setOwnsFile(root, false);
    }
  }

  async #dropFile(sha256: string): Promise<void> {
    await this.#locks.run(`file:${sha256}`, async () => {
      if (!this.#files.drop(sha256)) return;
      if ((await this.#parts.index.rootsOfFile(sha256)).length > 0) return;
      await this.#parts.files.delete(sha256, { isClaimed: (name) => this.#files.has(name) });
    });
  }

  async #dropPack(sha256: string): Promise<void> {
    this.#packs.drop(sha256);
    await this.#removePack(sha256);
  }

  /** Commits take the same lock, so a pack cannot become used between the question and the removal. */
  async #removePack(sha256: string): Promise<void> {
    await this.#locks.run(`pack:${sha256}`, async () => {
      if (await this.#parts.index.isPackUsed(sha256)) return;
      await this.#parts.packs.delete(sha256, { isClaimed: (name) => this.#packs.has(name) });
    });
  }
}
