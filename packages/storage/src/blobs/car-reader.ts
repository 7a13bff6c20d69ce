import { CID } from "multiformats/cid";
import { ByteReader } from "./byte-reader.ts";
import type { ByteSource } from "./byte-source.ts";
import { readCarLength, readCarRoot, truncated } from "./car-header.ts";
import type { Block } from "./cids.ts";
import { assertBlockSize } from "./dag-limits.ts";
import { BlobError } from "./errors.ts";
import { verifiedBlocks } from "./verified-blocks.ts";

export interface CarReader extends Disposable {
  readonly root: CID;
  /** The blocks in the order of the file, each held against its hash. To be read once. */
  blocks(): AsyncGenerator<Block, void, undefined>;
}

/** Room for the CID in front of a block. */
const MAX_CID_BYTES = 160;

/**
 * Opens a CARv1 stream and reads its header; one block at a time is in memory.
 * @throws BlobError those of `readCarRoot`; while reading blocks CAR_TRUNCATED, CAR_VARINT_INVALID,
 * CAR_SECTION_INVALID, BLOCK_TOO_LARGE, BLOCK_HASH_MISMATCH, CID_UNSUPPORTED
 */
export async function openCar(source: ByteSource, signal?: AbortSignal): Promise<CarReader> {
  const reader = new ByteReader(source, signal);
  const close = (): void => reader[Symbol.dispose]();
  try {
    const root = await readCarRoot(reader);
    return { root, blocks: () => verifiedBlocks(readSections(reader)), [Symbol.dispose]: close };
  } catch (error) {
    close();
    throw error;
  }
}

async function* readSections(reader: ByteReader): AsyncGenerator<Block, void, undefined> {
  using _closing = reader;
  while (true) {
    const sizeBytes = await readCarLength(reader);
    if (sizeBytes === undefined) return;
    assertBlockSize(sizeBytes, MAX_CID_BYTES);
    const section = await reader.take(sizeBytes);
    if (section.byteLength < sizeBytes) throw truncated("a block");
    yield parseSection(section);
  }
}

function parseSection(section: Uint8Array): Block {
  try {
    const [cid, bytes] = CID.decodeFirst(section);
    return { cid, bytes };
  } catch (cause) {
    throw new BlobError(
      "CAR_SECTION_INVALID",
      "a section of the CAR file does not begin with a CID",
      {},
      cause,
    );
  }
}
