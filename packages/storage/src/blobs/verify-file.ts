import { createHash } from "node:crypto";
import type { CID } from "multiformats/cid";
import { isBlobName } from "./blob-paths.ts";
import type { BlockSource } from "./block-source.ts";
import { abortable, type ByteSource } from "./byte-source.ts";
import { DAG_PB, parseCid } from "./cids.ts";
import { readDagFile } from "./dag-file-reader.ts";
import { type DagLayout, FIXED_LAYOUT, LAYOUT_V0, LAYOUT_V1_2025 } from "./dag-layout.ts";
import { FileDagBuilder } from "./file-dag-builder.ts";

/**
 * What bytes say about a name. A SHA-256 is "verified" or "mismatch". A CID is "verified" when one of the usual
 * layouts gives it; otherwise the bytes alone say nothing ("unproven"): the file may have been cut differently,
 * and only its blocks can tell. When they are at hand they do: "verified" or "mismatch".
 */
export type FileVerdict = "verified" | "mismatch" | "unproven";

export interface VerifyOptions {
  /** Blocks that may hold the file under its CID. */
  readonly blocks?: BlockSource & { hasBlock(cid: CID): Promise<boolean> };
  readonly signal?: AbortSignal;
}

/**
 * Reads `source` to its end and holds it against a name: SHA-256 in hexadecimal, CIDv0 or CIDv1.
 * @throws BlobError CID_INVALID, CID_UNSUPPORTED for a name that is neither; those of `readDagFile` for blocks
 */
export async function verifyFileAgainst(
  name: string,
  source: ByteSource,
  { blocks, signal }: VerifyOptions = {},
): Promise<FileVerdict> {
  const cid = isBlobName(name) ? undefined : parseCid(name);
  const builders = cid === undefined ? [] : usualLayouts(cid).map((layout) => new FileDagBuilder(layout));
  const hash = createHash("sha256");
  for await (const piece of abortable(source, signal)) {
    hash.update(piece);
    for (const builder of builders) builder.update(piece);
  }
  const sha256 = hash.digest("hex");
  if (cid === undefined) return sha256 === name ? "verified" : "mismatch";
  const roots = builders.map((builder) => builder.finish().cid.toString());
  if (roots.includes(cid.toString())) return "verified";
  if (blocks === undefined || !(await blocks.hasBlock(cid))) return "unproven";
  return (await sha256OfDag(cid, blocks, signal)) === sha256 ? "verified" : "mismatch";
}

async function sha256OfDag(cid: CID, blocks: BlockSource, signal: AbortSignal | undefined): Promise<string> {
  const hash = createHash("sha256");
  const pieces = readDagFile(cid, blocks, signal === undefined ? {} : { signal });
  for await (const piece of pieces) hash.update(piece);
  return hash.digest("hex");
}

/** The layouts that could have given a CID of this version and codec. */
function usualLayouts({ version, code }: CID): readonly DagLayout[] {
  if (version === 0) return [LAYOUT_V0];
  // A dag-pb CIDv1 also comes from tools that wrap each leaf, and is then the only form of a one-chunk file.
  const wrapped: readonly DagLayout[] = code === DAG_PB ? [{ ...LAYOUT_V0, cidVersion: 1 }] : [];
  return [FIXED_LAYOUT, LAYOUT_V1_2025, ...wrapped];
}
