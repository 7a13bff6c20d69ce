import { pipeline, Readable } from "node:stream";
import { constants, createBrotliCompress, createGzip } from "node:zlib";
import type { FastifyReply, FastifyRequest } from "fastify";
import { JSON_TYPE, negotiateEncoding } from "./json-reply.ts";
import type { BodyPiece } from "./list-body.ts";

/** Small pieces are joined up to this before they are written. */
const CHUNK_CHARACTERS = 64 * 1024;

/**
 * Sends a JSON text piece by piece, in bounded memory and at the speed of the client. The first piece is made
 * before the answer begins, so that an error found by then is still answered properly; a later one cuts the
 * connection, which tells the client that the text is not whole.
 *
 * @throws ApiError API_OVERLOADED when too many answers are sent this way
 */
export async function sendJsonStream(
  request: FastifyRequest,
  reply: FastifyReply,
  pieces: AsyncIterable<BodyPiece>,
): Promise<FastifyReply> {
  request.server.streamSlots.takeFor(reply);
  const iterator = joined(pieces)[Symbol.asyncIterator]();
  const first = await iterator.next();
  reply.header("content-type", JSON_TYPE).header("vary", "Origin, Accept-Encoding");
  if (request.method === "HEAD") {
    await iterator.return?.(undefined);
    return reply.send();
  }
  const source = Readable.from(resumed(first, iterator), {
    objectMode: false,
    highWaterMark: CHUNK_CHARACTERS,
  });
  const encoding = negotiateEncoding(request);
  if (encoding === null) return reply.send(source);
  const encoder =
    encoding === "br"
      ? createBrotliCompress({ params: { [constants.BROTLI_PARAM_QUALITY]: 4 } })
      : createGzip({ level: 5 });
  // A failure of the source destroys the encoder with it, which fails the answer.
  pipeline(source, encoder, () => {});
  return reply.header("content-encoding", encoding).send(encoder);
}

async function* joined(pieces: AsyncIterable<BodyPiece>): AsyncGenerator<Uint8Array, void, undefined> {
  let pending = "";
  for await (const piece of pieces) {
    if (typeof piece === "string") {
      pending += piece;
      if (pending.length < CHUNK_CHARACTERS) continue;
    }
    if (pending !== "") yield Buffer.from(pending);
    pending = "";
    if (typeof piece !== "string") yield piece;
  }
  if (pending !== "") yield Buffer.from(pending);
}

async function* resumed(
  first: IteratorResult<Uint8Array, void>,
  rest: AsyncIterator<Uint8Array, void>,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    for (let step = first; step.done !== true; step = await rest.next()) yield step.value;
  } finally {
    await rest.return?.(undefined);
  }
}
