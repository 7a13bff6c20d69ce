import { createReadStream } from "node:fs";
import { type FileHandle, mkdir, open, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
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
  readonly #file: FileHandle;
  readonly #path: string;

  private constructor(claim: LeafClaim, here: Set<number>, file: FileHandle, path: string) {
    this.claim = claim;
    this.here = here;
    this.#file = file;
    this.#path = path;
  }

  /** What is there of a file; null: nothing. What is on the disk is held against the claim, so a crash harms nothing. */
  static async reopen(folder: string): Promise<StagedPieces | null> {
    const claim = await readClaim(folder);
    if (claim === null) return null;
    const path = join(folder, "data");
    const file = await open(path, "r+");
    const here = new Set<number>();
    const buffer = Buffer.alloc(LEAF_BYTES);
    for (let index = 0; index < leafCount(claim.sizeBytes); index += 1) {
      const { bytesRead } = await file.read(buffer, 0, LEAF_BYTES, index * LEAF_BYTES);
      const isWhole = bytesRead === leafLength(claim.sizeBytes, index);
      if (isWhole && isLeaf(buffer.subarray(0, bytesRead), claim.leaves, index)) here.add(index);
    }
    return new StagedPieces(claim, here, file, path);
  }

  static async create(folder: string, claim: LeafClaim): Promise<StagedPieces> {
    await discardPieces(folder);
    await mkdir(folder, { recursive: true });
    const path = join(folder, "data");
    const file = await open(path, "w+");
    await writeFile(join(folder, "leaves"), claim.leaves);
    const { claimant, sizeBytes } = claim;
    // Last, and at once: what has a claim is complete.
    await writeFile(join(folder, "claim.new"), JSON.stringify({ claimant, sizeBytes }));
    await rename(join(folder, "claim.new"), join(folder, "claim.json"));
    return new StagedPieces(claim, new Set(), file, path);
  }

  /** Keeps a leaf, if it is what the claim says. */
  async put(index: number, leaf: Uint8Array): Promise<boolean> {
    if (!isLeaf(leaf, this.claim.leaves, index)) return false;
    await this.#file.write(leaf, 0, leaf.byteLength, index * LEAF_BYTES);
    this.here.add(index);
    return true;
  }

  read(): AsyncIterable<Uint8Array> {
    return createReadStream(this.#path, { end: this.claim.sizeBytes - 1 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }
}

export async function discardPieces(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
}

/** null: there is none, or none that makes sense. */
export async function readClaim(folder: string): Promise<LeafClaim | null> {
  try {
    const { claimant, sizeBytes } = JSON.parse(await readFile(join(folder, "claim.json"), "utf8"));
    const leaves = await readFile(join(folder, "leaves"));
    const isWhole = leaves.byteLength === leafCount(sizeBytes) * DIGEST_BYTES;
    return typeof claimant === "string" && isWhole ? { claimant, sizeBytes, leaves } : null;
  } catch (error) {
    const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
    if (isMissing || error instanceof SyntaxError) return null;
    throw error;
  }
}
