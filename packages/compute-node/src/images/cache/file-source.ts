/** One place where files of the network are, as a rule a core node. Answers are untrusted: bytes are verified. */
export interface FileSource {
  /** For messages: its address. */
  readonly name: string;
  /** The file that a STORE message names; null: this source does not know the message. */
  storedFile(storeHash: string, signal: AbortSignal): Promise<StoredFileName | null>;
  /** The file from a byte on; null: this source does not have it. A source may begin earlier than it was asked to. */
  read(fileHash: string, startBytes: number, signal: AbortSignal): Promise<FileBytes | null>;
}

export interface StoredFileName {
  /** SHA-256 in hexadecimal, or a CID. */
  readonly fileHash: string;
}

export interface FileBytes {
  readonly startBytes: number;
  /** Of the whole file, as the source says; null: it does not say. */
  readonly totalBytes: number | null;
  readonly chunks: AsyncIterable<Uint8Array>;
}
