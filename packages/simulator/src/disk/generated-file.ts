import { createHash, type Hash } from "node:crypto";
import type { Random } from "@twentysix/platform";

/*
 * Files whose bytes can be made again at any place: a disk keeps their number and size instead of them. Each piece of
 * 64 KiB begins with a mark by which it is recognised.
 */

const PIECE_BYTES = 64 * 1024;
const MARK = Buffer.from("26piece!");
const MARK_BYTES = 16;
const BASE_BYTES = 1024 * 1024;

export interface GeneratedFile {
  readonly number: number;
  readonly sizeBytes: number;
}

/** The files of a simulation. */
export class GeneratedFiles {
  readonly #base: Buffer;
  readonly #files = new Map<number, GeneratedFile>();

  constructor(random: Random) {
    const bytes = Buffer.from(random.randomBytes(BASE_BYTES));
    this.#base = Buffer.concat([bytes, bytes.subarray(0, PIECE_BYTES)]);
  }

  create(sizeBytes: number): GeneratedFile {
    const file = { number: this.#files.size + 1, sizeBytes };
    this.#files.set(file.number, file);
    return file;
  }

  /** Its bytes from an offset on, in pieces. */
  *read(file: GeneratedFile, from = 0, to = file.sizeBytes): Generator<Buffer, void, undefined> {
    const end = Math.min(to, file.sizeBytes);
    for (let at = from; at < end; ) {
      const piece = Buffer.allocUnsafe(Math.min(end, nextPiece(at)) - at);
      this.fill(piece, file, at);
      yield piece;
      at += piece.byteLength;
    }
  }

  /** Fills a buffer with the bytes from an offset on. */
  fill(buffer: Uint8Array, file: GeneratedFile, from: number): void {
    for (const { at, length, skipped, start, mark } of partsOf(file, from, from + buffer.byteLength)) {
      this.#base.copy(buffer, at, start + skipped, start + skipped + length);
      if (skipped < MARK_BYTES) buffer.set(mark.subarray(skipped, skipped + length), at);
    }
  }

  sha256(file: GeneratedFile): string {
    const hash: Hash = createHash("sha256");
    for (const piece of this.read(file)) hash.update(piece);
    return hash.digest("hex");
  }

  /** The file of which bytes are a part, and from where; null for others. */
  recognise(bytes: Uint8Array): { readonly file: GeneratedFile; readonly offset: number } | null {
    if (bytes.byteLength < MARK_BYTES) return null;
    const view = Buffer.from(bytes.buffer, bytes.byteOffset, MARK_BYTES);
    if (!view.subarray(0, MARK.length).equals(MARK)) return null;
    const file = this.#files.get(view.readUInt32LE(8));
    const offset = view.readUInt32LE(12) * PIECE_BYTES;
    return file !== undefined && this.isAt(file, offset, bytes) ? { file, offset } : null;
  }

  /** Whether bytes are those of a file at an offset. */
  isAt(file: GeneratedFile, offset: number, bytes: Uint8Array): boolean {
    if (offset + bytes.byteLength > file.sizeBytes) return false;
    for (const { at, length, skipped, start, mark } of partsOf(file, offset, offset + bytes.byteLength)) {
      const marked = Math.min(Math.max(0, MARK_BYTES - skipped), length);
      if (marked > 0 && mark.compare(bytes, at, at + marked, skipped, skipped + marked) !== 0) return false;
      const from = start + skipped;
      if (this.#base.compare(bytes, at + marked, at + length, from + marked, from + length) !== 0)
        return false;
    }
    return true;
  }
}

/** A part of a file within one piece of it. */
interface Part {
  /** Where it stands in what is asked for. */
  readonly at: number;
  readonly length: number;
  /** Of the piece, before it. */
  readonly skipped: number;
  /** Where the piece stands in the base, but for its mark. */
  readonly start: number;
  readonly mark: Buffer;
}

function* partsOf({ number }: GeneratedFile, from: number, to: number): Generator<Part, void, undefined> {
  for (let offset = from; offset < to; ) {
    const index = Math.floor(offset / PIECE_BYTES);
    const length = Math.min(to, nextPiece(offset)) - offset;
    const start = (number * 7_919 + index * 104_729) % BASE_BYTES;
    yield {
      ...{ at: offset - from, length, start },
      skipped: offset - index * PIECE_BYTES,
      mark: markOf(number, index),
    };
    offset += length;
  }
}

const nextPiece = (offset: number): number => (Math.floor(offset / PIECE_BYTES) + 1) * PIECE_BYTES;

function markOf(number: number, index: number): Buffer {
  const mark = Buffer.alloc(MARK_BYTES);
  MARK.copy(mark);
  mark.writeUInt32LE(number, 8);
  mark.writeUInt32LE(index, 12);
  return mark;
}
