import type { Readable } from "node:stream";
import { onAbort } from "@twentysix/platform";
import { TransportError } from "./errors.ts";

/**
 * Everything that a guest says on a stream until its end.
 *
 * @throws TransportError GUEST_PROTOCOL_BROKEN for more than `maxBytes`; what ended the stream; the signal's reason
 */
export async function readAll(stream: Readable, maxBytes: number, signal: AbortSignal): Promise<Buffer> {
  const release = onAbort(signal, (reason) => stream.destroy(reason instanceof Error ? reason : undefined));
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > maxBytes) {
        const error = new TransportError(
          "GUEST_PROTOCOL_BROKEN",
          `the guest answered more than ${maxBytes} bytes`,
        );
        stream.destroy(error);
        throw error;
      }
      chunks.push(chunk);
    }
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    release();
  }
  signal.throwIfAborted();
  return Buffer.concat(chunks, length);
}
