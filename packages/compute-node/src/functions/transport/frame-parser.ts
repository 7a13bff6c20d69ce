import { TransportError } from "./errors.ts";
import { type Frame, HEADER_BYTES, isFrameType, MAX_PAYLOAD_BYTES, PREAMBLE } from "./frames.ts";

const EMPTY = Buffer.alloc(0);

/** A frame, or that the other side begins anew. */
export type Parsed = Frame | "preamble";

/**
 * Frames of a stream of bytes. It starts by looking for the preamble, and holds at most one frame and one chunk, whatever
 * is sent to it.
 */
export class FrameParser {
  #pending: Buffer = EMPTY;
  #isSynced = false;
  #skippedBytes = 0;

  /** Bytes that belonged to no frame. */
  get skippedBytes(): number {
    return this.#skippedBytes;
  }

  /** Gives up the frame at hand and looks for the next preamble. */
  seek(): void {
    if (this.#isSynced && this.#pending.length > 0) this.#skip(1);
    this.#isSynced = false;
  }

  /** Drops what is pending too: the bytes before belong to another connection. */
  reset(): void {
    this.#pending = EMPTY;
    this.#isSynced = false;
  }

  /**
   * What these bytes complete, in order. Take all of it before the next call.
   *
   * @throws TransportError GUEST_PROTOCOL_BROKEN; after `seek` the rest can be read on with `push(nothing)`
   */
  *push(chunk: Uint8Array): Generator<Parsed, void, undefined> {
    this.#pending = this.#pending.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.#pending, chunk]);
    for (;;) {
      const parsed = this.#isSynced ? this.#frame() : this.#preamble();
      if (parsed === null) break;
      yield parsed;
    }
  }

  #preamble(): "preamble" | null {
    const at = this.#pending.indexOf(PREAMBLE);
    if (at === -1) {
      // Its beginning may be at the end of what is here.
      this.#skip(Math.max(0, this.#pending.length - PREAMBLE.length + 1));
      return null;
    }
    this.#skip(at);
    this.#pending = this.#pending.subarray(PREAMBLE.length);
    this.#isSynced = true;
    return "preamble";
  }

  #frame(): Parsed | null {
    if (this.#startsWithPreamble()) return this.#preamble();
    if (this.#pending.length < HEADER_BYTES) return null;
    const length = this.#pending.readUInt32BE(0);
    const type = this.#pending.readUInt8(4);
    if (length > MAX_PAYLOAD_BYTES || !isFrameType(type)) {
      const message = `a frame of type ${type} with ${length} bytes: at most ${MAX_PAYLOAD_BYTES} are allowed`;
      throw new TransportError("GUEST_PROTOCOL_BROKEN", message);
    }
    const end = HEADER_BYTES + length;
    if (this.#pending.length < end) return null;
    const frame = {
      type,
      streamId: this.#pending.readUInt32BE(5),
      payload: this.#pending.subarray(HEADER_BYTES, end),
    };
    this.#pending = this.#pending.subarray(end);
    return frame;
  }

  #startsWithPreamble(): boolean {
    return (
      this.#pending.length >= PREAMBLE.length && PREAMBLE.equals(this.#pending.subarray(0, PREAMBLE.length))
    );
  }

  #skip(bytes: number): void {
    this.#skippedBytes += bytes;
    this.#pending = this.#pending.subarray(bytes);
  }
}
