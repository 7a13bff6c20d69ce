import { Readable } from "node:stream";
import type { FastifyReply } from "fastify";

/**
 * Sends bytes as they come, never compressed. When fewer or more than `lengthBytes` come the connection is cut:
 * a client must not take a part for the whole.
 */
export function sendBytes(
  reply: FastifyReply,
  source: AsyncIterable<Uint8Array>,
  lengthBytes: number | null,
  onSent: (bytes: number) => void,
): FastifyReply {
  if (lengthBytes !== null) reply.header("content-length", lengthBytes);
  return reply.send(Readable.from(counted(source, lengthBytes, onSent), { objectMode: false }));
}

async function* counted(
  source: AsyncIterable<Uint8Array>,
  lengthBytes: number | null,
  onSent: (bytes: number) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  let sentBytes = 0;
  for await (const piece of source) {
    sentBytes += piece.length;
    if (lengthBytes !== null && sentBytes > lengthBytes) throw wrongLength(sentBytes, lengthBytes);
    onSent(piece.length);
    yield piece;
  }
  if (lengthBytes !== null && sentBytes !== lengthBytes) throw wrongLength(sentBytes, lengthBytes);
}

function wrongLength(sentBytes: number, lengthBytes: number): RangeError {
  return new RangeError(`the stored file has ${sentBytes} bytes or more where ${lengthBytes} are recorded`);
}
