import type { Stream } from "@libp2p/interface";

/**
 * Resolves when a stream takes more after `send` gave false. `onDrain` of the library keeps one promise for the whole
 * stream: once it is resolved nobody waits any more, and a slow reader has all that is sent to it kept in memory.
 *
 * @throws what the stream was closed with
 */
export async function drained(stream: Stream): Promise<void> {
  if (!stream.writableNeedsDrain) return;
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
