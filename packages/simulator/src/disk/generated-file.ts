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
    for (let at = from; at < Math.min(to, file.sizeBytes); ) {
      const index = Math.floor(at / PIECE_BYTES);
      const end = Math.min(to, file.sizeBytes, (index + 1) * PIECE_BYTES);
      yield this.#piece(file, index).subarray(at - index * PIECE_BYTES, end - index * PIECE_BYTES);
      at = end;
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
    let at = 0;
    for (const piece of this.read(file, offset, offset + bytes.byteLength)) {
      if (piece.compare(bytes, at, at + piece.byteLength) !== 0) return false;
      at += piece.byteLength;
    }
    return true;
  }

  #piece({ number }: GeneratedFile, index: number): Buffer {
    const start = (number * 7_919 + index * 104_729) % BASE_BYTES;
    const piece = Buffer.from(this.#base.subarray(start, start + PIECE_BYTES));
    MARK.copy(piece);
    piece.writeUInt32LE(number, 8);
    piece.writeUInt32LE(index, 12);
    return piece;
  }
}
