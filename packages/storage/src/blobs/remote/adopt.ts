import { createHash } from "node:crypto";
import { BlobError } from "../errors.ts";
import { ChunkHasher } from "./chunk-digests.ts";
import type { ObjectRecord } from "./remote-catalog.ts";
import { RemoteFailure } from "./remote-failure.ts";
import type { RemoteObject } from "./remote-objects.ts";
import type { RemoteStoreParts } from "./remote-store-parts.ts";
import { StallGuard } from "./stall-guard.ts";

/**
 * Reads an object that stands on the server under the name of a blob and of which this machine has no record: it is
 * believed, and recorded, once all its bytes have proved the name.
 * @throws BlobError BLOB_CORRUPT, BLOB_SERVER_…
 */
export async function adopt(
  object: RemoteObject,
  parts: RemoteStoreParts,
  signal: AbortSignal,
): Promise<ObjectRecord> {
  const { server, catalog, name, readOnly } = parts;
  const record = await server
    .attempt(() => proven(object, parts, signal), signal)
    .catch((error: unknown) => {
      if (error instanceof BlobError && error.code === "BLOB_CORRUPT") server.reportDamage(object.sha256);
      throw error;
    });
  if (readOnly) return record;
  catalog.intend(name, record);
  catalog.setComplete(name, record, true);
  return record;
}

async function proven(
  object: RemoteObject,
  { objects, timers }: RemoteStoreParts,
  signal: AbortSignal,
): Promise<ObjectRecord> {
  using guard = new StallGuard(timers, signal);
  const hash = createHash("sha256");
  const chunks = new ChunkHasher();
  const { sha256, sizeBytes } = object;
  let atBytes = 0;
  const range = { startBytes: 0, endBytes: sizeBytes };
  const pieces = sizeBytes === 0 ? [] : guard.watch(objects.read(object, range, guard.signal));
  for await (const piece of pieces) {
    atBytes += piece.byteLength;
    hash.update(piece);
    chunks.update(piece);
  }
  if (atBytes < sizeBytes) throw new RemoteFailure("short", `${atBytes} bytes of ${sizeBytes} came`);
  if (hash.digest("hex") === sha256) return { ...object, chunkDigests: chunks.finish() };
  throw new BlobError("BLOB_CORRUPT", "the server holds other bytes under this name: upload the blob again", {
    sha256,
    sizeBytes,
    address: object.address,
  });
}
