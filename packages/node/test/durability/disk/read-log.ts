import { closeSync, fstatSync, openSync, readSync } from "node:fs";

/** Kinds of records, as `record-disk.c` numbers them. */
const KINDS = {
  1: "create",
  2: "write",
  3: "truncate",
  4: "syncBegin",
  5: "syncEnd",
  6: "rename",
  7: "unlink",
  8: "mkdir",
  9: "rmdir",
  10: "unsupported",
  11: "send",
} as const;
const HEADER_BYTES = 24;

/** One change of the disk, or a send over the network. */
export interface DiskRecord {
  readonly kind: (typeof KINDS)[keyof typeof KINDS];
  /** Offset of a write, size of a truncation, number of a sync, port that a send goes to. */
  readonly number: number;
  readonly path: string;
  /** Target of a rename. */
  readonly second: string;
  readonly data: Buffer;
}

/** The records of a log, in order. A record that is cut off, by a kill, ends it. */
export function* readLog(path: string): Generator<DiskRecord> {
  const file = openSync(path, "r");
  try {
    const { size } = fstatSync(file);
    for (let at = 0; at + HEADER_BYTES <= size; ) {
      const header = readAt(file, at, HEADER_BYTES);
      const totalBytes = header.readUInt32LE(0);
      if (at + totalBytes > size) return;
      yield parseRecord(header, readAt(file, at + HEADER_BYTES, totalBytes - HEADER_BYTES));
      at += totalBytes;
    }
  } finally {
    closeSync(file);
  }
}

function parseRecord(header: Buffer, body: Buffer): DiskRecord {
  const kind = KINDS[header.readUInt32LE(4) as keyof typeof KINDS];
  const pathEnd = header.readUInt32LE(16);
  const secondEnd = pathEnd + header.readUInt32LE(20);
  const path = body.toString("utf8", 0, pathEnd);
  const second = body.toString("utf8", pathEnd, secondEnd);
  if (kind === undefined || kind === "unsupported") {
    throw new Error(`record-disk.c must learn ${second || header.readUInt32LE(4)} (${path})`);
  }
  return { kind, number: Number(header.readBigUInt64LE(8)), path, second, data: body.subarray(secondEnd) };
}

function readAt(file: number, position: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let filled = 0; filled < length; ) {
    const count = readSync(file, bytes, filled, length - filled, position + filled);
    if (count === 0) throw new Error("The log ended while it was read");
    filled += count;
  }
  return bytes;
}
