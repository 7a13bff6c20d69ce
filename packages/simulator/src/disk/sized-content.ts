import type { GeneratedFile, GeneratedFiles } from "./generated-file.ts";

/** A stretch of a file: bytes, or a part of a generated file. */
interface Stretch {
  readonly at: number;
  readonly length: number;
  readonly bytes: Uint8Array | null;
  readonly file: GeneratedFile | null;
  readonly offset: number;
}

/** What stands in a file of a simulated disk: generated parts by name and size alone. Values: changes give another one. */
export class SizedContent {
  readonly #files: GeneratedFiles;
  /** In their order, without gaps or overlaps. */
  readonly #stretches: readonly Stretch[];
  readonly sizeBytes: number;

  constructor(files: GeneratedFiles, stretches: readonly Stretch[] = []) {
    this.#files = files;
    this.#stretches = stretches;
    const last = stretches.at(-1);
    this.sizeBytes = last === undefined ? 0 : last.at + last.length;
  }

  /** With bytes written at an offset; what lies between the end and there is zero. */
  written(at: number, bytes: Uint8Array): SizedContent {
    if (bytes.byteLength === 0) return this;
    const before =
      at > this.sizeBytes ? this.written(this.sizeBytes, new Uint8Array(at - this.sizeBytes)) : this;
    const end = at + bytes.byteLength;
    const kept = before.#part(0, at);
    return new SizedContent(this.#files, [
      ...joined(kept, this.#stretchOf(kept.at(-1), at, bytes)),
      ...before.#part(end, before.sizeBytes),
    ]);
  }

  /** Its first bytes. */
  cut(sizeBytes: number): SizedContent {
    return new SizedContent(this.#files, this.#part(0, sizeBytes));
  }

  /** Fills a buffer from an offset on; how many bytes there were. */
  read(buffer: Uint8Array, from: number): number {
    const to = Math.min(from + buffer.byteLength, this.sizeBytes);
    for (const stretch of this.#part(from, to)) {
      const { file, bytes, offset, length } = stretch;
      const at = stretch.at - from;
      if (bytes !== null) buffer.set(bytes, at);
      else if (file !== null) this.#files.fill(buffer.subarray(at, at + length), file, offset);
    }
    return Math.max(0, to - from);
  }

  #part(from: number, to: number): Stretch[] {
    return this.#stretches.flatMap((stretch) => {
      const start = Math.max(from, stretch.at);
      const end = Math.min(to, stretch.at + stretch.length);
      if (end <= start) return [];
      const skipped = start - stretch.at;
      return [
        {
          ...stretch,
          at: start,
          length: end - start,
          bytes: stretch.bytes?.subarray(skipped, skipped + end - start) ?? null,
          offset: stretch.offset + skipped,
        },
      ];
    });
  }

  #stretchOf(last: Stretch | undefined, at: number, bytes: Uint8Array): Stretch {
    const place = { at, length: bytes.byteLength };
    if (last?.file != null && this.#files.isAt(last.file, last.offset + last.length, bytes))
      return { ...place, bytes: null, file: last.file, offset: last.offset + last.length };
    const known = this.#files.recognise(bytes);
    if (known !== null) return { ...place, bytes: null, ...known };
    return { ...place, bytes: bytes.slice(), file: null, offset: 0 };
  }
}

/** Small writes one after the other become one stretch. */
const MAX_JOINED_BYTES = 256 * 1024;

function joined(before: readonly Stretch[], next: Stretch): Stretch[] {
  const last = before.at(-1);
  if (last === undefined) return [next];
  const rest = before.slice(0, -1);
  const length = last.length + next.length;
  if (last.file !== null && last.file === next.file && last.offset + last.length === next.offset)
    return [...rest, { ...last, length }];
  if (last.bytes !== null && next.bytes !== null && length <= MAX_JOINED_BYTES)
    return [...rest, { ...last, length, bytes: Buffer.concat([last.bytes, next.bytes]) }];
  return [...before, next];
}
