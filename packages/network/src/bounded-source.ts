import type { Stream } from "@libp2p/interface";
import { createDeferred } from "@twentysix/platform";

/** Bytes of a stream that are held for whoever reads it; beyond that the peer has to wait. */
const MAX_HELD_BYTES = 256 * 1024;

/**
 * What comes over a stream, as fast as it is read and no faster. The iterator of the library takes in whatever a peer
 * sends, without any bound, while the reader is at something else.
 */
export async function* boundedSource(stream: Stream): AsyncGenerator<Uint8Array, void, undefined> {
  const held: Uint8Array[] = [];
  let heldBytes = 0;
  let isOver = false;
  let failure: Error | undefined;
  let news = createDeferred<void>();
  const onMessage = ({ data }: { readonly data: Uint8Array | { subarray(): Uint8Array } }): void => {
    const piece = data instanceof Uint8Array ? data : data.subarray();
    held.push(piece);
    heldBytes += piece.byteLength;
    if (heldBytes >= MAX_HELD_BYTES && stream.readStatus === "readable") stream.pause();
    news.resolve();
  };
  const onEnd = (): void => {
    isOver = true;
    news.resolve();
  };
  const onClose = (event: { readonly error?: Error }): void => {
    failure = event.error;
    onEnd();
  };
  stream.addEventListener("message", onMessage);
  stream.addEventListener("remoteCloseWrite", onEnd);
  stream.addEventListener("close", onClose);
  try {
    for (;;) {
      const piece = held.shift();
      if (piece !== undefined) {
        heldBytes -= piece.byteLength;
        yield piece;
        continue;
      }
      // What had to wait comes at once, also after the peer has ended its side.
      if (stream.readStatus === "paused") stream.resume();
      if (held.length > 0) continue;
      if (failure !== undefined) throw failure;
      if (isOver || stream.readStatus === "closed" || stream.readStatus === "closing") return;
      news = createDeferred<void>();
      await news.promise;
    }
  } finally {
    stream.removeEventListener("message", onMessage);
    stream.removeEventListener("remoteCloseWrite", onEnd);
    stream.removeEventListener("close", onClose);
  }
}
