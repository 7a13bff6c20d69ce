import type { ResolvedRange } from "../blob-range.ts";
import type { BlobStat, PutOptions } from "../blob-store.ts";

/** One object of a server: bytes of a known SHA-256 under an address of the server's own kind. */
export interface RemoteObject extends BlobStat {
  /** Key of a bucket, or CID. */
  readonly address: string;
}

/** Finds out the address of an object while its bytes pass by. */
export interface Addresser {
  update(piece: Uint8Array): void;
  finish(sha256: string): string;
}

/**
 * The few calls that a blob store makes to a server. Each is one attempt; each rejects with a RemoteFailure, or with
 * the reason of its signal. What keeps silent is ended from outside, by that signal.
 */
export interface RemoteObjects {
  addresser(options: Pick<PutOptions, "layout">): Addresser;
  /** Where an object stands that this machine has no record of; undefined when only a record can tell. */
  addressOf(sha256: string): string | undefined;
  /** Stores the object whole or not at all; durable once it resolves. Replaces what stands there. */
  put(object: RemoteObject, bytes: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void>;
  /** The bytes as the server gives them: not verified, perhaps too few. The range is not empty. */
  read(object: RemoteObject, range: ResolvedRange, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** Size of the object; undefined when there is none. */
  sizeOf(address: string, record: RemoteObject | undefined, signal: AbortSignal): Promise<number | undefined>;
  /** Nothing happens when there is none. */
  remove(address: string, signal: AbortSignal): Promise<void>;
  /** Drops what the server keeps of uploads to an address that never ended; none is on its way. */
  abandon?(address: string, signal: AbortSignal): Promise<void>;
  /** Makes way for an object whose bytes have changed on the server, where a further `put` would not replace them. */
  repair?(address: string, signal: AbortSignal): Promise<void>;
  /** All objects in the order of their SHA-256; without it, this machine's records are the list. */
  list?(after: string | undefined, signal: AbortSignal): AsyncIterable<BlobStat>;
}
