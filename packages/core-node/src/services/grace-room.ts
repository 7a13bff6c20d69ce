import { ApiError } from "../api/errors.ts";

export interface GraceRoomOptions {
  /** Most bytes of files in their grace period; infinite for no limit. */
  readonly maxBytes: number;
  /** Bytes of those that are recorded. */
  readonly usedBytes: () => Promise<number>;
  readonly isHeld: (fileHash: string) => Promise<boolean>;
}

/** Room among the files in their grace period for some that are about to be recorded. */
export class GraceRoom {
  readonly #options: GraceRoomOptions;
  #reservedBytes = 0;

  constructor(options: GraceRoomOptions) {
    this.#options = options;
  }

  /**
   * Holds room for a file until it is recorded, and counted by then. One that is held already takes no more.
   *
   * @throws ApiError API_GRACE_PERIOD_FULL
   */
  async reserve({
    hash,
    sizeBytes,
  }: {
    readonly hash: string;
    readonly sizeBytes: number;
  }): Promise<Disposable> {
    const { maxBytes, usedBytes, isHeld } = this.#options;
    if (await isHeld(hash)) return { [Symbol.dispose]: () => undefined };
    // What is recorded while the records are asked may be missing in their answer and in what is reserved after it.
    const reservedBefore = this.#reservedBytes;
    const takenBytes = (await usedBytes()) + Math.max(reservedBefore, this.#reservedBytes);
    if (takenBytes + sizeBytes > maxBytes) {
      throw new ApiError(
        "API_GRACE_PERIOD_FULL",
        "This node holds as many files without a message as it may: upload the file together with its signed STORE message, or to another node",
        { usedBytes: takenBytes, fileBytes: sizeBytes, maxBytes },
      );
    }
    this.#reservedBytes += sizeBytes;
    return {
      [Symbol.dispose]: () => {
        this.#reservedBytes -= sizeBytes;
      },
    };
  }
}
