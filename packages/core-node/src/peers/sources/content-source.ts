/** What somebody gives for a hash: the bytes of a file, or a CAR of the blocks under a CID. Not verified. */
export interface ContentAnswer {
  readonly form: "bytes" | "car";
  /** false: it is the beginning of a file that is got in pieces. */
  readonly isWhole: boolean;
  readonly bytes: AsyncIterable<Uint8Array>;
  /** Nothing more is wanted. */
  end(): void;
}

/** Somebody who may have a content. */
export interface ContentSource {
  /** Who is at fault when what it gives is wrong. */
  readonly name: string;
  /**
   * null: it does not have it, or not now. The signal ends the answer too.
   *
   * @throws NetworkError NETWORK_PEER_FAILED
   */
  ask(hash: string, signal: AbortSignal): Promise<ContentAnswer | null>;
}
