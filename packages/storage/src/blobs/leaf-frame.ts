/** What stands around the bytes of a chunk in a dag-pb leaf. */
export interface LeafFrame {
  readonly before: Uint8Array;
  readonly after: Uint8Array;
}

/**
 * The frame of a UnixFS file leaf without links: dag-pb `Data` around UnixFS `{Type: File, Data, filesize}`.
 *
 * Written out here, not through the codec, so that a leaf can be hashed without copying its chunk.
 */
export function leafFrame(chunkBytes: number): LeafFrame {
  const after = [0x18, ...varint(chunkBytes)];
  const head = chunkBytes === 0 ? [0x08, 0x02] : [0x08, 0x02, 0x12, ...varint(chunkBytes)];
  const unixFsBytes = head.length + chunkBytes + after.length;
  return { before: Uint8Array.from([0x0a, ...varint(unixFsBytes), ...head]), after: Uint8Array.from(after) };
}

/** The dag-pb leaf of a chunk. */
export function wrapLeaf(chunk: Uint8Array): Uint8Array {
  const { before, after } = leafFrame(chunk.byteLength);
  return Buffer.concat([before, chunk, after]);
}

/** Unsigned LEB128 of a number under 2^53. */
export function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return bytes;
}
