import { open } from "node:fs/promises";
import { ImageError } from "./errors.ts";

/** What the head of a squashfs image says. Source: Linux `fs/squashfs/squashfs_fs.h`. */
export interface SquashfsHeader {
  /** Of the file system: a file that is shorter is cut off. */
  readonly usedBytes: bigint;
  readonly blockBytes: number;
  readonly compression: "zlib" | "lzma" | "lzo" | "xz" | "lz4" | "zstd";
}

const MAGIC = 0x73717368;
const HEAD_BYTES = 96;
const COMPRESSIONS = ["zlib", "lzma", "lzo", "xz", "lz4", "zstd"] as const;
/** Those that the kernel of guests reads. */
const READABLE: ReadonlySet<string> = new Set(["zlib", "lzo", "xz", "lz4", "zstd"]);
const MIN_BLOCK_BYTES = 4_096;
const MAX_BLOCK_BYTES = 1_048_576;

/**
 * Checks that a file is a squashfs image as guests mount it: by its own head, with no tool that a stranger's bytes could
 * lead astray.
 *
 * @throws ImageError FILE_WRONG
 */
export async function checkSquashfs(path: string): Promise<SquashfsHeader> {
  const file = await open(path, "r");
  try {
    const head = Buffer.alloc(HEAD_BYTES);
    const { bytesRead } = await file.read(head, 0, HEAD_BYTES, 0);
    return parseSquashfsHeader(head.subarray(0, bytesRead), BigInt((await file.stat()).size));
  } finally {
    await file.close();
  }
}

/** The same of its first 96 bytes. @throws ImageError FILE_WRONG */
export function parseSquashfsHeader(head: Buffer, fileBytes: bigint): SquashfsHeader {
  if (head.length < HEAD_BYTES || head.readUInt32LE(0) !== MAGIC) throw wrong("it is no squashfs image");
  if (head.readUInt16LE(28) !== 4 || head.readUInt16LE(30) !== 0)
    throw wrong("only squashfs 4.0 can be mounted");
  const blockBytes = head.readUInt32LE(12);
  const isPower = (blockBytes & (blockBytes - 1)) === 0;
  if (!isPower || blockBytes < MIN_BLOCK_BYTES || blockBytes > MAX_BLOCK_BYTES) {
    throw wrong(`its block size of ${blockBytes} bytes is none that squashfs has`);
  }
  const compression = COMPRESSIONS[head.readUInt16LE(20) - 1];
  if (compression === undefined || !READABLE.has(compression))
    throw wrong("the kernel of guests cannot unpack it");
  const usedBytes = head.readBigUInt64LE(40);
  if (usedBytes > fileBytes) throw wrong(`it is cut off: ${usedBytes} bytes are ${fileBytes}`);
  return { usedBytes, blockBytes, compression };
}

function wrong(why: string): ImageError {
  return new ImageError("FILE_WRONG", `the image cannot be used: ${why}`);
}
