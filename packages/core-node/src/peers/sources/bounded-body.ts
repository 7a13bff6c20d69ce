import type { IncomingMessage } from "node:http";
import { NetworkError } from "@twentysix/network";

/** What a server sends, as long as it is no more than that. @throws NetworkError NETWORK_PEER_FAILED */
export async function* boundedBody(
  answer: IncomingMessage,
  maxBytes: number,
  name: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  let sizeBytes = 0;
  try {
    for await (const piece of answer as AsyncIterable<Uint8Array>) {
      sizeBytes += piece.byteLength;
      if (sizeBytes > maxBytes)
        throw new NetworkError("NETWORK_PEER_FAILED", `${name} sends more than ${maxBytes} bytes`);
      yield piece;
    }
  } catch (cause) {
    if (cause instanceof NetworkError) throw cause;
    throw new NetworkError("NETWORK_PEER_FAILED", `${name} broke off`, { cause });
  }
}
