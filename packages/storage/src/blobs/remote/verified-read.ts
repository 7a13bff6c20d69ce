import type { Timers } from "@twentysix/platform";
import type { ResolvedRange } from "../blob-range.ts";
import { ByteReader } from "../byte-reader.ts";
import { BlobError } from "../errors.ts";
import { CHUNK_BYTES } from "./chunk-digests.ts";
import type { ObjectRecord } from "./remote-catalog.ts";
import { RemoteFailure } from "./remote-failure.ts";
import type { RemoteObjects } from "./remote-objects.ts";
import type { RemoteServer } from "./remote-server.ts";
import { StallGuard } from "./stall-guard.ts";

export interface ReadParts {
  readonly objects: Pick<RemoteObjects, "read">;
  readonly server: RemoteServer;
  readonly timers: Pick<Timers, "schedule">;
}

/**
 * The bytes of a range, each chunk held against its digest before any byte of it is passed on. A connection that
 * breaks is taken up again where the verified bytes end, with the bounds of `RemoteServer`.
 * @throws BlobError BLOB_CORRUPT for wrong bytes, an object that is gone or too short; BLOB_SERVER_…
 */
export async function* readVerified(
  record: ObjectRecord,
  { startBytes, endBytes }: ResolvedRange,
  parts: ReadParts,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const lastBytes = Math.min(Math.ceil(endBytes / CHUNK_BYTES) * CHUNK_BYTES, record.sizeBytes);
  let atBytes = Math.floor(startBytes / CHUNK_BYTES) * CHUNK_BYTES;
  for (let failures = 0; startBytes < endBytes && atBytes < lastBytes; ) {
    try {
      for await (const chunk of chunksFrom(
        record,
        { startBytes: atBytes, endBytes: lastBytes },
        parts,
        signal,
      )) {
        failures = 0;
        const piece = chunk.subarray(Math.max(0, startBytes - atBytes), endBytes - atBytes);
        atBytes += chunk.byteLength;
        yield piece;
      }
    } catch (error) {
      failures += 1;
      await parts.server.failed(error, failures, signal).catch((final: unknown) => {
        if (isDamage(final)) parts.server.reportDamage(record.sha256);
        throw final;
      });
    }
  }
}

/** One attempt: verified chunks from the start of a range, which is that of a chunk, on. */
async function* chunksFrom(
  record: ObjectRecord,
  range: ResolvedRange,
  { objects, server, timers }: ReadParts,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  using guard = new StallGuard(timers, signal);
  const ended = new AbortController();
  const stop = AbortSignal.any([guard.signal, ended.signal]);
  using reader = new ByteReader(guard.watch(objects.read(record, range, stop)), guard.signal);
  try {
    for (let at = range.startBytes; at < range.endBytes; ) {
      const wantedBytes = Math.min(CHUNK_BYTES, range.endBytes - at);
      const chunk = await reader.take(wantedBytes);
      if (chunk.byteLength < wantedBytes) {
        throw new RemoteFailure("short", `${at + chunk.byteLength} bytes of ${record.sizeBytes} came`);
      }
      assertChunk(record, at, chunk);
      server.worked();
      at += chunk.byteLength;
      yield chunk;
      guard.moved();
    }
  } finally {
    ended.abort();
  }
}

function assertChunk(record: ObjectRecord, offsetBytes: number, chunk: Uint8Array): void {
  if (record.chunkDigests.isChunk(offsetBytes / CHUNK_BYTES, chunk)) return;
  throw new BlobError(
    "BLOB_CORRUPT",
    "the server gave back other bytes than were stored: upload or fetch the blob again",
    { sha256: record.sha256, address: record.address, offsetBytes, lengthBytes: chunk.byteLength },
  );
}

const isDamage = (error: unknown): boolean => error instanceof BlobError && error.code === "BLOB_CORRUPT";
