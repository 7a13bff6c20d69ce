import type { Stream } from "@libp2p/interface";

/**
 * Resolves when a stream takes more after `send` gave false. `onDrain` of the library keeps one promise for the whole
 * stream: once it is resolved nobody waits any more, and a slow reader has all that is sent to it kept in memory. And
 * it tells every stream of a connection when that takes more, those too whose reader does not: so this looks again
 * each time, or each drain of a quick stream would let a slow one have one more piece.
 *
 * @throws what the stream was closed with
 */
export async function drained(stream: Stream): Promise<void> {
  while (stream.writableNeedsDrain) await someTaken(stream);
}

/**
 * Resolves when the peer has taken some of what the stream keeps for it.
 *
 * @throws what the stream was closed with
 */
export async function someTaken(stream: Stream): Promise<void> {
  const before = stream.writeBufferLength;
  while (stream.writableNeedsDrain && stream.writeBufferLength >= before) {
    await nextDrain(stream);
    // Nothing was left to be sent: the connection was full, and is not any more.
    if (before === 0) return;
  }
}

async function nextDrain(stream: Stream): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const onDrain = (): void => {
      stop();
      resolve();
    };
    const onClose = (event: { readonly error?: Error }): void => {
      stop();
      reject(event.error ?? new Error("the stream was closed before it took everything"));
    };
    const stop = (): void => {
      stream.removeEventListener("drain", onDrain);
      stream.removeEventListener("close", onClose);
    };
    stream.addEventListener("drain", onDrain);
    stream.addEventListener("close", onClose);
    if (stream.writeStatus === "closed") onClose({});
  });
}
