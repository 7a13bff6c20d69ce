/**
 * Blobs that imports in progress rely on, from the moment they take their place until the index knows them.
 *
 * While a blob is claimed it is not removed. Meanwhile it may become wanted under its own name, or no longer: the
 * last to say so decides what happens when the last claim ends.
 */
export class Claims {
  readonly #claims = new Map<string, { count: number; isWanted: boolean | undefined }>();

  has(sha256: string): boolean {
    return this.#claims.has(sha256);
  }

  add(sha256: string): void {
    const claim = this.#claims.get(sha256) ?? { count: 0, isWanted: undefined };
    claim.count += 1;
    this.#claims.set(sha256, claim);
  }

  /** Ends one claim; true when it was the last and the blob is not wanted. */
  drop(sha256: string): boolean {
    const claim = this.#claims.get(sha256);
    if (claim === undefined) return false;
    claim.count -= 1;
    if (claim.count > 0) return false;
    this.#claims.delete(sha256);
    return claim.isWanted === false;
  }

  /** Somebody wants the blob under its own name, or nobody does any more. Said of no claimed blob, nothing. */
  setWanted(sha256: string, isWanted: boolean): void {
    const claim = this.#claims.get(sha256);
    if (claim !== undefined) claim.isWanted = isWanted;
  }

  isWanted(sha256: string): boolean | undefined {
    return this.#claims.get(sha256)?.isWanted;
  }
}
