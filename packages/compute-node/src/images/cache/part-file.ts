import { createHash, type Hash } from "node:crypto";
import { createReadStream, openAsBlob } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { encodeItemHash, itemTypeOfHash } from "@twentysix/protocol";
import { hashFile } from "@twentysix/sdk";
import { createNodeSha256 } from "@twentysix/sdk/node";

/** A file on its way: what has arrived of it is hashed as it is written. */
export class PartFile implements AsyncDisposable {
  readonly #path: string;
  readonly #file: FileHandle;
  #hash: Hash;
  #sizeBytes: number;

  private constructor(path: string, file: FileHandle, hash: Hash, sizeBytes: number) {
    this.#path = path;
    this.#file = file;
    this.#hash = hash;
    this.#sizeBytes = sizeBytes;
  }

  /** Goes on with what an earlier run left. */
  static async open(path: string, signal: AbortSignal): Promise<PartFile> {
    const file = await open(path, "a");
    try {
      const hash = createHash("sha256");
      for await (const chunk of createReadStream(path, { signal })) hash.update(chunk);
      return new PartFile(path, file, hash, (await file.stat()).size);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  async append(bytes: Uint8Array): Promise<void> {
    await this.#file.appendFile(bytes);
    this.#hash.update(bytes);
    this.#sizeBytes += bytes.length;
  }

  async empty(): Promise<void> {
    await this.#file.truncate(0);
    this.#hash = createHash("sha256");
    this.#sizeBytes = 0;
  }

  sha256(): string {
    return this.#hash.copy().digest("hex");
  }

  /** Whether the bytes are those that the name stands for; their place on the disk is certain after it. */
  async isFile(fileHash: string, signal: AbortSignal): Promise<boolean> {
    await this.#file.sync();
    if (itemTypeOfHash(fileHash) === "storage") return this.sha256() === fileHash;
    const file = await openAsBlob(this.#path);
    const name = await hashFile({ createSha256: createNodeSha256 }, { file, engine: "ipfs", signal });
    return sameFile(name, fileHash);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }
}

const CID_V1_PREFIX_BYTES = 2;

/** A CIDv1 of the same tree ends in the same hash: it only says how it is written. */
function sameFile(cidV0: string, fileHash: string): boolean {
  if (cidV0 === fileHash) return true;
  const asked = encodeItemHash(fileHash).subarray(CID_V1_PREFIX_BYTES);
  return fileHash.startsWith("bafy") && Buffer.from(asked).equals(encodeItemHash(cidV0));
}
