import { createCipheriv, createHash } from "node:crypto";

/**
 * `sizeBytes` bytes made from a seed: the AES-256-CTR key stream of SHA-256(seed) with a zero counter, so that any
 * other tool can make the same.
 */
export function* seededBytes(seed: string, sizeBytes: number, pieceBytes = 65_536): Generator<Uint8Array> {
  const cipher = createCipheriv("aes-256-ctr", createHash("sha256").update(seed).digest(), Buffer.alloc(16));
  for (let offset = 0; offset < sizeBytes; offset += pieceBytes) {
    yield cipher.update(Buffer.alloc(Math.min(pieceBytes, sizeBytes - offset)));
  }
}

export function seededBuffer(seed: string, sizeBytes: number): Uint8Array {
  return Buffer.concat([...seededBytes(seed, sizeBytes)], sizeBytes);
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** All bytes of a stream. */
export async function drain(source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of source) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** Cuts bytes at the given lengths, over and over; what a network does to a file. */
export function* cutBytes(bytes: Uint8Array, lengths: readonly number[]): Generator<Uint8Array> {
  let offset = 0;
  for (let index = 0; offset < bytes.length; index += 1) {
    const length = lengths[index % lengths.length] ?? bytes.length;
    yield bytes.subarray(offset, offset + length);
    offset += length;
  }
}
