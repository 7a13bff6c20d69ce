import { decodeUtf8 } from "@twentysix/protocol";

/** One line of a file, counted from 1. */
export type NdjsonLine =
  | { readonly number: number; readonly text: string; readonly sizeBytes: number }
  | { readonly number: number; readonly text: null; readonly reason: string };

const LINE_FEED = 0x0a;

/** Cuts bytes into lines, holding one of them at most; one that is too long or no UTF-8 is passed over and told. */
export async function* readNdjsonLines(
  source: AsyncIterable<Uint8Array>,
  maxLineBytes: number,
): AsyncGenerator<NdjsonLine, void, undefined> {
  let number = 0;
  let pieces: Uint8Array[] = [];
  let sizeBytes = 0;
  const finish = (): NdjsonLine => {
    number += 1;
    const line = lineOf(number, pieces, sizeBytes, maxLineBytes);
    pieces = [];
    sizeBytes = 0;
    return line;
  };
  const take = (piece: Uint8Array): void => {
    sizeBytes += piece.length;
    if (sizeBytes <= maxLineBytes) pieces.push(piece);
    else pieces = [];
  };
  for await (const chunk of source) {
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, start)) {
      take(chunk.subarray(start, end));
      yield finish();
      start = end + 1;
    }
    if (start < chunk.length) take(chunk.subarray(start));
  }
  if (sizeBytes > 0) yield finish();
}

function lineOf(
  number: number,
  pieces: readonly Uint8Array[],
  sizeBytes: number,
  maxLineBytes: number,
): NdjsonLine {
  if (sizeBytes > maxLineBytes) {
    return { number, text: null, reason: `longer than the ${maxLineBytes} bytes that a message can have` };
  }
  const text = decodeUtf8(Buffer.concat(pieces));
  return text === null ? { number, text, reason: "not UTF-8" } : { number, text, sizeBytes };
}
