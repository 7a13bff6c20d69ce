/** Kinds of frames on the port `aleph.52`; who sends which is said in `channel.ts`. */
export const FRAME = {
  hello: 1,
  wake: 2,
  configure: 3,
  open: 4,
  data: 5,
  end: 6,
  reset: 7,
  credit: 8,
  halt: 9,
  halted: 10,
} as const;
export type FrameType = (typeof FRAME)[keyof typeof FRAME];

export interface Frame {
  readonly type: FrameType;
  readonly streamId: number;
  /** A view: copy it to keep it. */
  readonly payload: Buffer;
}

/** Of one frame. */
export const MAX_PAYLOAD_BYTES = 65_536;
/** `u32be payload length | u8 type | u32be stream` */
export const HEADER_BYTES = 9;
/** Bytes that a side may send of a stream before the other has asked for more. */
export const START_WINDOW_BYTES = 262_144;

/**
 * Sent once by each side before its first frame after it (re)connected: the port is a stream of bytes without
 * connections, so half a frame of an earlier one can stand before it. As a header it would announce 640 MB, so it is
 * never taken for one.
 */
export const PREAMBLE: Buffer = Buffer.from("\x26\x26TWSX\x26\x26", "latin1");

const TYPES: ReadonlySet<number> = new Set(Object.values(FRAME));

/** @throws RangeError for a payload that no frame may have */
export function encodeFrame(type: FrameType, streamId: number, payload: Uint8Array): Buffer {
  if (payload.length > MAX_PAYLOAD_BYTES) throw new RangeError(`a payload of ${payload.length} bytes`);
  const frame = Buffer.allocUnsafe(HEADER_BYTES + payload.length);
  frame.writeUInt32BE(payload.length, 0);
  frame.writeUInt8(type, 4);
  frame.writeUInt32BE(streamId, 5);
  frame.set(payload, HEADER_BYTES);
  return frame;
}

export function isFrameType(value: number): value is FrameType {
  return TYPES.has(value);
}
