import { CID } from "multiformats/cid";
import { ByteReader } from "./byte-reader.ts";
import type { ByteSource } from "./byte-source.ts";
import { readCarLength, readCarRoot, truncated } from "./car-header.ts";
import { assertBlockHash, type Block } from "./cids.ts";
import { MAX_BLOCK_BYTES } from "./dag-limits.ts";
import { BlobError } from "./errors.ts";

export interface CarReader extends AsyncDisposable {
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
  const close = (): Promise<void> => reader[Symbol.asyncDispose]();
  try {
    const root = await readCarRoot(reader);
    return { root, blocks: () => readBlocks(reader), [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function* readBlocks(reader: ByteReader): AsyncGenerator<Block, void, undefined> {
  await using _closing = reader;
  while (true) {
    const sizeBytes = await readCarLength(reader);
    if (sizeBytes === undefined) return;
    if (sizeBytes > MAX_BLOCK_BYTES + MAX_CID_BYTES) throw tooLarge(sizeBytes);
    const section = await reader.take(sizeBytes);
    if (section.byteLength < sizeBytes) throw truncated("a block");
    const block = parseSection(section);
    if (block.bytes.byteLength > MAX_BLOCK_BYTES) throw tooLarge(block.bytes.byteLength);
    assertBlockHash(block);
    yield block;
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

function tooLarge(sizeBytes: number): BlobError {
  return new BlobError("BLOCK_TOO_LARGE", `a block may have ${MAX_BLOCK_BYTES} bytes: cut the file smaller`, {
    maxBlockBytes: MAX_BLOCK_BYTES,
    sizeBytes,
  });
}
