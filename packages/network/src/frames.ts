import { NetworkError } from "./errors.ts";

/** Bytes of the length before each frame. */
const LENGTH_BYTES = 4;

/** A frame as it travels: its length (4 bytes, big-endian) and its bytes. */
export function frameOf(bytes: Uint8Array): Uint8Array {
  const frame = new Uint8Array(LENGTH_BYTES + bytes.byteLength);
  new DataView(frame.buffer).setUint32(0, bytes.byteLength);
  frame.set(bytes, LENGTH_BYTES);
  return frame;
}

/**
 * The frames of a stream.
 *
 * @throws NetworkError NETWORK_PEER_FAILED for a frame that is longer than it may be, or not complete at the end
 */
export async function* framesOf(
  source: AsyncIterable<Uint8Array>,
  maxFrameBytes: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const parts = new ByteQueue();
  for await (const piece of source) {
    parts.push(piece);
    for (let frame = takeFrame(parts, maxFrameBytes); frame !== null; frame = takeFrame(parts, maxFrameBytes))
      yield frame;
  }
  if (parts.length > 0) throw new NetworkError("NETWORK_PEER_FAILED", "the peer broke off within a frame");
}

function takeFrame(parts: ByteQueue, maxFrameBytes: number): Uint8Array | null {
  if (parts.length < LENGTH_BYTES) return null;
  const length = parts.peekLength();
  if (length > maxFrameBytes) {
    const message = `the peer sent a frame of ${length} bytes; ${maxFrameBytes} are allowed`;
    throw new NetworkError("NETWORK_PEER_FAILED", message);
  }
  if (parts.length < LENGTH_BYTES + length) return null;
  parts.take(LENGTH_BYTES);
  return parts.take(length);
}

/** Pieces of bytes that are taken out in other sizes. */
class ByteQueue {
  readonly #pieces: Uint8Array[] = [];
  length = 0;

  push(piece: Uint8Array): void {
    if (piece.byteLength === 0) return;
    this.#pieces.push(piece);
    this.length += piece.byteLength;
  }

  peekLength(): number {
    const head = this.take(LENGTH_BYTES);
    this.#pieces.unshift(head);
    this.length += LENGTH_BYTES;
    return new DataView(head.buffer, head.byteOffset).getUint32(0);
  }

  take(bytes: number): Uint8Array {
    const first = this.#pieces[0];
    if (first !== undefined && first.byteLength >= bytes) return this.#cut(first, bytes);
    const taken = new Uint8Array(bytes);
    for (let at = 0; at < bytes; ) {
      const piece = this.#pieces[0];
      if (piece === undefined) throw new RangeError("More bytes are taken than there are");
      const part = this.#cut(piece, Math.min(piece.byteLength, bytes - at));
      taken.set(part, at);
      at += part.byteLength;
    }
    return taken;
  }

  /** Cuts bytes off the first piece. */
  #cut(first: Uint8Array, bytes: number): Uint8Array {
    this.length -= bytes;
    if (first.byteLength === bytes) this.#pieces.shift();
    else this.#pieces[0] = first.subarray(bytes);
    return first.subarray(0, bytes);
  }
}
