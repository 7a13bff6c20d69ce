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
 * The frames of a stream. One that lies whole in a piece of it is a view of that piece; whatever the sizes of the pieces, a
 * byte is copied a few times at most.
 *
 * @throws NetworkError NETWORK_PEER_FAILED for a frame that is longer than it may be, or not complete at the end
 */
export async function* framesOf(
  source: AsyncIterable<Uint8Array>,
  maxFrameBytes: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const begun = new BegunFrame(maxFrameBytes);
  for await (const piece of source) {
    for (let rest = piece; rest.byteLength > 0; ) {
      const end = begun.isEmpty ? endOfWholeFrame(rest, maxFrameBytes) : null;
      if (end !== null) {
        yield rest.subarray(LENGTH_BYTES, end);
        rest = rest.subarray(end);
        continue;
      }
      rest = rest.subarray(begun.fill(rest));
      if (begun.isWhole) yield begun.take();
    }
  }
  if (!begun.isEmpty) throw new NetworkError("NETWORK_PEER_FAILED", "the peer broke off within a frame");
}

/** Where the first frame of a piece ends; null when it does not end there. */
function endOfWholeFrame(piece: Uint8Array, maxFrameBytes: number): number | null {
  if (piece.byteLength < LENGTH_BYTES) return null;
  const end = frameEnd(piece, maxFrameBytes);
  return end > piece.byteLength ? null : end;
}

/** Its bytes with those of its length, which stand at the beginning. */
function frameEnd(bytes: Uint8Array, maxFrameBytes: number): number {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  if (length > maxFrameBytes) {
    const message = `the peer sent a frame of ${length} bytes; ${maxFrameBytes} are allowed`;
    throw new NetworkError("NETWORK_PEER_FAILED", message);
  }
  return LENGTH_BYTES + length;
}

/** A frame that comes in several pieces. Takes no more memory than twice what came of it. */
class BegunFrame {
  readonly #maxFrameBytes: number;
  #bytes = new Uint8Array(0);
  #filled = 0;
  #end = LENGTH_BYTES;

  constructor(maxFrameBytes: number) {
    this.#maxFrameBytes = maxFrameBytes;
  }

  get isEmpty(): boolean {
    return this.#filled === 0;
  }

  get isWhole(): boolean {
    return this.#filled >= LENGTH_BYTES && this.#filled === this.#end;
  }

  /** Takes what the frame lacks, its length first, and tells how many bytes that were. */
  fill(piece: Uint8Array): number {
    const part = piece.subarray(0, this.#end - this.#filled);
    this.#makeRoom(part.byteLength);
    this.#bytes.set(part, this.#filled);
    this.#filled += part.byteLength;
    if (this.#filled === LENGTH_BYTES) this.#end = frameEnd(this.#bytes, this.#maxFrameBytes);
    return part.byteLength;
  }

  take(): Uint8Array {
    const frame = this.#bytes.subarray(LENGTH_BYTES, this.#end);
    this.#bytes = new Uint8Array(0);
    this.#filled = 0;
    this.#end = LENGTH_BYTES;
    return frame;
  }

  #makeRoom(more: number): void {
    const needed = this.#filled + more;
    if (needed <= this.#bytes.byteLength) return;
    const bytes = new Uint8Array(Math.max(needed, Math.min(this.#end, 2 * this.#bytes.byteLength)));
    bytes.set(this.#bytes.subarray(0, this.#filled));
    this.#bytes = bytes;
  }
}
