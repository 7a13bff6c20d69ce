import { open } from "node:fs/promises";

/** What the head of a qcow2 image says. Source: QEMU `docs/interop/qcow2.txt`. */
export interface Qcow2Header {
  readonly version: number;
  readonly virtualSizeBytes: bigint;
  /** Names another file that its bytes come from: never accepted from strangers. */
  readonly hasBackingFile: boolean;
  /** Keeps its bytes in another file. */
  readonly hasDataFile: boolean;
  readonly isEncrypted: boolean;
}

const MAGIC = 0x51_46_49_fb;
const HEAD_BYTES = 104;
const VERSION_2_BYTES = 72;
const DATA_FILE_FEATURE = 4n;
/** Dirty, corrupt, external data file, compression type, extended entries: what QEMU knows. */
const KNOWN_FEATURES = 31n;

/** Reads the head of an image without any tool that would follow what it says; null: it is no qcow2 image. */
export async function readQcow2Header(path: string): Promise<Qcow2Header | null> {
  const file = await open(path, "r");
  try {
    const head = Buffer.alloc(HEAD_BYTES);
    const { bytesRead } = await file.read(head, 0, HEAD_BYTES, 0);
    return parseQcow2Header(head.subarray(0, bytesRead));
  } finally {
    await file.close();
  }
}

/** The same of its first 104 bytes. */
export function parseQcow2Header(head: Buffer): Qcow2Header | null {
  if (head.length < VERSION_2_BYTES || head.readUInt32BE(0) !== MAGIC) return null;
  const version = head.readUInt32BE(4);
  const features = version >= 3 && head.length >= HEAD_BYTES ? head.readBigUInt64BE(72) : 0n;
  if (version < 2 || version > 3 || features > KNOWN_FEATURES) return null;
  return {
    version,
    virtualSizeBytes: head.readBigUInt64BE(24),
    hasBackingFile: head.readBigUInt64BE(8) !== 0n,
    hasDataFile: (features & DATA_FILE_FEATURE) !== 0n,
    isEncrypted: head.readUInt32BE(32) !== 0,
  };
}
