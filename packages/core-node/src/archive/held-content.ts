import { encodeItemHash, isJsonObject, parseJson, type StoredItemType } from "@twentysix/protocol";
import { BlobError, type ContentStore, FileNamer, type HeldFile, isServerFailure } from "@twentysix/storage";
import { keepFile } from "../content/uploads.ts";

/** Stores the content of a message under its hash; null when the text has not that hash. */
export async function keepContent(
  contents: ContentStore,
  engine: StoredItemType,
  itemHash: string,
  text: string,
): Promise<HeldFile | null> {
  try {
    const kept = await keepFile(contents, { read: () => [Buffer.from(text)] }, engine, itemHash);
    return { ...kept, sha256: bytesOf(kept.sha256), cid: bytesOf(kept.cid) };
  } catch (error) {
    if (error instanceof BlobError && REFUSALS.has(error.code)) return null;
    throw error;
  }
}

const REFUSALS: ReadonlySet<string> = new Set([
  "BLOB_HASH_MISMATCH",
  "BLOB_NAME_INVALID",
  "CID_INVALID",
  "CID_UNSUPPORTED",
]);

/** The file that an inline STORE names, when this is one that can be read so far. */
export function storedFileHash(itemContent: string): string | null {
  const content = parseJson(itemContent);
  if (!content.ok || !isJsonObject(content.value)) return null;
  const hash = content.value.item_hash;
  return typeof hash === "string" ? hash : null;
}

/** Has the content store something under a name, whole as far as a look at its root tells? */
export async function isHeld(contents: ContentStore, name: string, signal: AbortSignal): Promise<boolean> {
  try {
    return (await contents.stat(name, signal)) !== undefined;
  } catch (error) {
    if (error instanceof BlobError && !isServerFailure(error)) return false;
    throw error;
  }
}

/**
 * What the content store has under a name, with all its names: for a store whose folder was copied from another
 * node. Null when it is not there or its bytes have not that name.
 */
export async function describeHeld(
  contents: ContentStore,
  name: string,
  signal: AbortSignal,
): Promise<HeldFile | null> {
  try {
    const held = await contents.stat(name, signal);
    if (held === undefined) return null;
    const dag = { hash: name, sizeBytes: held.cumulativeSizeBytes, type: held.type, sha256: null, cid: null };
    if (held.type === "dir") return dag;
    const namer = new FileNamer(["sha256", "cidV0", "fixedCid"]);
    for await (const piece of contents.read(name, { signal })) namer.update(piece);
    const { sizeBytes, sha256 = "", cidV0, fixedCid = null } = namer.finish();
    if (!(await contents.files.has(sha256))) return dag;
    if (![sha256, cidV0, fixedCid].includes(name)) return null;
    return { hash: name, sizeBytes, type: "file", sha256: bytesOf(sha256), cid: bytesOf(fixedCid) };
  } catch (error) {
    if (error instanceof BlobError && !isServerFailure(error)) return null;
    throw error;
  }
}

const bytesOf = (name: string | null): Uint8Array | null => (name === null ? null : encodeItemHash(name));
