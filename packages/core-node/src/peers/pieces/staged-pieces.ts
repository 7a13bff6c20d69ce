import { join } from "node:path";
import type { WorkingFile, WorkingFiles } from "../../content/working-files.ts";
import { DIGEST_BYTES, isLeaf, LEAF_BYTES, leafCount, leafLength } from "./leaves.ts";

/**
 * What a peer says that a file consists of. Until the whole file has its SHA-256 it is that peer's word and no more.
 */
export interface LeafClaim {
  readonly claimant: string;
  readonly sizeBytes: number;
  /** SHA-256 of each leaf, 32 bytes each. */
  readonly leaves: Uint8Array;
}

/** Leaves of one file that were received, kept in a folder over restarts of the node. */
export class StagedPieces implements AsyncDisposable {
  readonly claim: LeafClaim;
  /** Leaves that are there, and are what the claim says. */
  readonly here: Set<number>;
  readonly #file: WorkingFile;
  readonly #read: () => AsyncIterable<Uint8Array>;

  private constructor(
    claim: LeafClaim,
    here: Set<number>,
    file: WorkingFile,
    read: () => AsyncIterable<Uint8Array>,
  ) {
    this.claim = claim;
    this.here = here;
    this.#file = file;
    this.#read = read;
  }

  /** What is there of a file; null: nothing. What is on the disk is held against the claim, so a crash harms nothing. */
  static async reopen(files: WorkingFiles, folder: string): Promise<StagedPieces | null> {
    const claim = await readClaim(files, folder);
    if (claim === null) return null;
    const path = join(folder, "data");
    const file = await files.open(path);
    const here = new Set<number>();
    for (let index = 0; index < leafCount(claim.sizeBytes); index += 1) {
      const lengthBytes = leafLength(claim.sizeBytes, index);
      const leaf = await file.readAt(index * LEAF_BYTES, lengthBytes);
      if (leaf.byteLength === lengthBytes && isLeaf(leaf, claim.leaves, index)) here.add(index);
    }
    return new StagedPieces(claim, here, file, () => files.stream(path, claim.sizeBytes));
  }

  static async create(files: WorkingFiles, folder: string, claim: LeafClaim): Promise<StagedPieces> {
    await files.remove(folder);
    await files.makeFolder(folder);
    const path = join(folder, "data");
    const file = await files.create(path);
    await files.writeWhole(join(folder, "leaves"), claim.leaves);
    const { claimant, sizeBytes } = claim;
    // Last, and at once: what has a claim is complete.
    await files.writeWhole(join(folder, "claim.new"), Buffer.from(JSON.stringify({ claimant, sizeBytes })));
    await files.rename(join(folder, "claim.new"), join(folder, "claim.json"));
    return new StagedPieces(claim, new Set(), file, () => files.stream(path, sizeBytes));
  }

  /** Keeps a leaf, if it is what the claim says. */
  async put(index: number, leaf: Uint8Array): Promise<boolean> {
    if (!isLeaf(leaf, this.claim.leaves, index)) return false;
    await this.#file.writeAt(index * LEAF_BYTES, leaf);
    this.here.add(index);
    return true;
  }

  read(): AsyncIterable<Uint8Array> {
    return this.#read();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file[Symbol.asyncDispose]();
  }
}

/** null: there is none, or none that makes sense. */
export async function readClaim(files: WorkingFiles, folder: string): Promise<LeafClaim | null> {
  try {
    const { claimant, sizeBytes } = JSON.parse(
      new TextDecoder().decode(await files.readWhole(join(folder, "claim.json"))),
    );
    const leaves = await files.readWhole(join(folder, "leaves"));
    const isWhole = leaves.byteLength === leafCount(sizeBytes) * DIGEST_BYTES;
    return typeof claimant === "string" && isWhole ? { claimant, sizeBytes, leaves } : null;
  } catch (error) {
    const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
    if (isMissing || error instanceof SyntaxError) return null;
    throw error;
  }
}
