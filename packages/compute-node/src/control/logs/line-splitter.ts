export interface SplitLine {
  readonly text: string;
  /** Where it starts in the file. */
  readonly offset: number;
}

/** A guest that writes without end of line is cut here. */
const MAX_LINE_BYTES = 16_384;

/** Cuts the bytes of a console into lines: without their ends, and with what is no UTF-8 replaced. */
export class LineSplitter {
  #pending: Buffer = Buffer.alloc(0);
  #offset: number;

  constructor(offset: number) {
    this.#offset = offset;
  }

  /** Where the next line starts. */
  get position(): number {
    return this.#offset;
  }

  push(chunk: Buffer): SplitLine[] {
    const bytes = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    const lines: SplitLine[] = [];
    let start = 0;
    while (start < bytes.length) {
      const newline = bytes.indexOf(0x0a, start);
      const isCut = newline < 0 ? bytes.length - start >= MAX_LINE_BYTES : newline - start > MAX_LINE_BYTES;
      if (newline < 0 && !isCut) break;
      const end = isCut ? start + MAX_LINE_BYTES : newline;
      lines.push({ text: textOf(bytes.subarray(start, end)), offset: this.#offset + start });
      start = isCut ? end : end + 1;
    }
    this.#pending = bytes.subarray(start);
    this.#offset += start;
    return lines;
  }

  /** What stands after the last end of line. */
  rest(): SplitLine | null {
    return this.#pending.length === 0 ? null : { text: textOf(this.#pending), offset: this.#offset };
  }
}

function textOf(bytes: Buffer): string {
  return bytes.toString("utf8").replace(/\r+$/, "");
}
