import * as dagCbor from "@ipld/dag-cbor";
import { CID } from "multiformats/cid";
import type { ByteReader } from "./byte-reader.ts";
import { BlobError } from "./errors.ts";
import { varint } from "./leaf-frame.ts";

const MAX_VARINT_BYTES = 10;
const MAX_HEADER_BYTES = 8192;
const VERSION = 1;

/**
 * A length of a CAR file; undefined when the file ends before it.
 * @throws BlobError CAR_TRUNCATED, CAR_VARINT_INVALID
 */
export async function readCarLength(reader: ByteReader): Promise<number | undefined> {
  let value = 0;
  for (let index = 0; index < MAX_VARINT_BYTES; index += 1) {
    const byte = await reader.takeByte();
    if (byte === undefined) {
      if (index === 0) return undefined;
      throw truncated("a length");
    }
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (byte >= 0x80) continue;
    if (Number.isSafeInteger(value)) return value;
    break;
  }
  throw new BlobError("CAR_VARINT_INVALID", `a CAR length takes ${MAX_VARINT_BYTES} bytes at most`, {
    maxVarintBytes: MAX_VARINT_BYTES,
  });
}

/**
 * The one root of a CARv1.
 *
 * Limits and refusals are those of pyaleph `src/aleph/toolkit/car.py`: varint of 10 bytes, header of 8192, a
 * DAG-CBOR map, version 1, one root.
 * @throws BlobError CAR_TRUNCATED, CAR_VARINT_INVALID, CAR_HEADER_TOO_LARGE, CAR_HEADER_INVALID,
 * CAR_VERSION_UNSUPPORTED, CAR_ROOT_COUNT
 */
export async function readCarRoot(reader: ByteReader): Promise<CID> {
  const sizeBytes = await readCarLength(reader);
  if (sizeBytes === undefined) throw truncated("the header");
  if (sizeBytes > MAX_HEADER_BYTES) {
    throw new BlobError("CAR_HEADER_TOO_LARGE", `the CAR header may have ${MAX_HEADER_BYTES} bytes`, {
      maxHeaderBytes: MAX_HEADER_BYTES,
      sizeBytes,
    });
  }
  const bytes = await reader.take(sizeBytes);
  if (bytes.byteLength < sizeBytes) throw truncated("the header");
  return rootOf(decodeHeader(bytes));
}

/** The header of a CARv1. A pack of blocks without a root of its own has none. */
export function encodeCarHeader(roots: readonly CID[]): Uint8Array {
  const header = dagCbor.encode({ roots, version: VERSION });
  return Buffer.concat([Uint8Array.from(varint(header.byteLength)), header]);
}

export function truncated(where: string): BlobError {
  return new BlobError("CAR_TRUNCATED", `the CAR file ends inside ${where}: send it whole`);
}

function decodeHeader(bytes: Uint8Array): Record<string, unknown> {
  let header: unknown;
  try {
    header = dagCbor.decode(bytes);
  } catch (cause) {
    throw new BlobError("CAR_HEADER_INVALID", "the CAR header is not DAG-CBOR", {}, cause);
  }
  if (typeof header === "object" && header !== null && !Array.isArray(header) && CID.asCID(header) === null) {
    return header as Record<string, unknown>;
  }
  throw new BlobError("CAR_HEADER_INVALID", "the CAR header is not a map");
}

function rootOf({ version, roots }: Record<string, unknown>): CID {
  if (version !== VERSION) {
    throw new BlobError("CAR_VERSION_UNSUPPORTED", "unsupported CAR version", { version });
  }
  const list: readonly unknown[] = Array.isArray(roots) ? roots : [];
  const root = CID.asCID(list[0]);
  if (list.length === 1 && root !== null) return root;
  throw new BlobError("CAR_ROOT_COUNT", "expected exactly 1 root", { rootCount: list.length });
}
