import type { ContentStore } from "@twentysix/storage";
import type { DownloadServices } from "../api/services.ts";
import type { FileHolds } from "./file-holds.ts";
import { serverRefusal } from "./server-refusal.ts";

export interface DownloadOptions {
  readonly contents: ContentStore;
  readonly holds: FileHolds;
  /** Its bytes were given up here, since others have proven that they keep them. */
  readonly isElsewhere: (fileHash: string) => Promise<boolean>;
  /** Gets from other nodes what has a record here and no bytes; false when nobody gives it. */
  readonly fetch: (fileHash: string, signal: AbortSignal) => Promise<boolean>;
}

/**
 * Files and directories that this node holds, or gets from others when they are asked for. A name is held until its last byte is read, so that a collection
 * meanwhile breaks no download off; whoever asks after the collection finds no record.
 */
export function createDownloads({ contents, holds, isElsewhere, fetch }: DownloadOptions): DownloadServices {
  const opened = async (
    fileHash: string,
    signal: AbortSignal,
    read: () => AsyncGenerator<Uint8Array, void, undefined>,
  ): Promise<AsyncIterable<Uint8Array> | null> => {
    const here = await open(fileHash, contents, holds, signal, read);
    if (here !== null) return here;
    // Held from before it comes, so that it is not given up again before it is read.
    using _hold = await holds.hold(fileHash);
    return (await fetch(fileHash, signal)) ? await open(fileHash, contents, holds, signal, read) : null;
  };
  const isHeld: DownloadServices["isHeld"] = async (fileHash, { signal }) => {
    try {
      return (await contents.stat(fileHash, signal)) !== undefined;
    } catch (error) {
      throw serverRefusal(error);
    }
  };
  return {
    isHeld,
    isServed: async (fileHash, options) => (await isHeld(fileHash, options)) || (await isElsewhere(fileHash)),
    async openFile(fileHash, { range, signal }) {
      return await opened(fileHash, signal, () =>
        contents.read(fileHash, {
          signal,
          ...(range === undefined
            ? {}
            : { range: { offsetBytes: range.start, lengthBytes: range.end - range.start } }),
        }),
      );
    },
    async openTar(fileHash, { signal }) {
      return await opened(fileHash, signal, () => contents.archive(fileHash, { signal }));
    },
  };
}

async function open(
  fileHash: string,
  contents: ContentStore,
  holds: FileHolds,
  signal: AbortSignal,
  read: () => AsyncGenerator<Uint8Array, void, undefined>,
): Promise<AsyncIterable<Uint8Array> | null> {
  const hold = await holds.hold(fileHash);
  const letGo = (): void => hold[Symbol.dispose]();
  try {
    signal.throwIfAborted();
    if ((await contents.stat(fileHash, signal)) === undefined) {
      letGo();
      return null;
    }
  } catch (error) {
    letGo();
    throw serverRefusal(error);
  }
  // A stream that nobody begins to read runs no `finally`: its client has gone away, which the signal tells.
  signal.addEventListener("abort", letGo, { once: true });
  if (signal.aborted) letGo();
  return untilEnd(read(), letGo);
}

async function* untilEnd(
  bytes: AsyncIterable<Uint8Array>,
  onEnd: () => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* bytes;
  } catch (error) {
    // Before the first byte this is still an answer; after it, the connection is cut.
    throw serverRefusal(error);
  } finally {
    onEnd();
  }
}
