import type { CID } from "multiformats/cid";
import type { GetOptions } from "./blob-store.ts";
import { encodeCarHeader } from "./car-header.ts";

/** What to read of a pack for `carOfPack`: all but its header, which names no root. */
export function packSections(signal?: AbortSignal): GetOptions {
  const range = { offsetBytes: encodeCarHeader([]).byteLength };
  return signal === undefined ? { range } : { range, signal };
}

/** The blocks of a pack as a CARv1 stream of one root. */
export async function* carOfPack(
  root: CID,
  sections: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield encodeCarHeader([root]);
  yield* sections;
}
