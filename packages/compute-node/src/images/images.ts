/** Kernel and initial file system of functions, which the node itself has: built from Debian's packages. */
export interface HostImages {
  readonly kernelPath: string;
  readonly initrdPath: string;
}

/** Files of the network on the disk of this node, verified. */
export interface FileCache {
  /**
   * The file of a STORE message, downloaded from a core node unless it is here; every byte is verified against the
   * hash that the message names. Resolves to a path that stays until `release`.
   *
   * @throws ImageError FILE_NOT_FOUND, FILE_TOO_LARGE, FILE_WRONG, FILES_UNREACHABLE
   */
  acquire(
    storeHash: string,
    options: { readonly maxBytes: number },
    signal: AbortSignal,
  ): Promise<CachedFile>;
}

/** A file that is not evicted while somebody holds it. */
export interface CachedFile {
  readonly path: string;
  readonly sizeBytes: number;
  /** SHA-256 of its bytes, hexadecimal. */
  readonly sha256: string;
  release(): void;
}
