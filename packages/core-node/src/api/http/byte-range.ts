/** First byte and the byte after the last. */
export interface ByteSpan {
  readonly start: number;
  readonly end: number;
}

/**
 * What a Range header asks of a file. `null`: the whole file (no header, a unit or a form that is not supported);
 * `unsatisfiable`: nothing of the file.
 */
export function parseRange(header: string | undefined, sizeBytes: number): ByteSpan | null | "unsatisfiable" {
  const match = /^bytes=([0-9]*)-([0-9]*)$/.exec(header ?? "");
  const [, first = "", last = ""] = match ?? [];
  if (match === null || (first === "" && last === "")) return null;
  if (first === "") {
    const length = Math.min(Number(last), sizeBytes);
    return length === 0 ? "unsatisfiable" : { start: sizeBytes - length, end: sizeBytes };
  }
  const start = Number(first);
  const end = last === "" ? sizeBytes : Math.min(Number(last) + 1, sizeBytes);
  if (last !== "" && Number(last) < start) return null;
  return start >= sizeBytes ? "unsatisfiable" : { start, end };
}
