import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { ApiError } from "../errors.ts";
import { ReadGuard, type ReadLimits } from "./read-guard.ts";

export interface BodyLimits extends ReadLimits {
  readonly maxBytes: number;
}

/** Refuses at once a body that announces more than `maxBytes`. */
export function assertAnnouncedSize(request: IncomingMessage, maxBytes: number): void {
  const announced = Number(request.headers["content-length"] ?? 0);
  if (announced > maxBytes) throw tooLarge(maxBytes);
}

export function tooLarge(maxBytes: number): ApiError {
  return new ApiError("API_BODY_TOO_LARGE", `413: too large. At most ${maxBytes} bytes are taken here`, {
    maxBytes,
  });
}

/**
 * The pieces of `stream` (the body of `request` or a part of it) under a limit of size and time. The request
 * stays usable for an answer when the reading stops early.
 * @throws ApiError API_BODY_TOO_LARGE, API_BODY_TIMEOUT, API_CLIENT_CLOSED, or the reason of the signal.
 */
export async function* bodyPieces(
  stream: Readable,
  request: IncomingMessage,
  limits: BodyLimits,
): AsyncGenerator<Buffer, void, undefined> {
  using guard = new ReadGuard(request, limits);
  let receivedBytes = 0;
  const pieces: AsyncIterator<Buffer, undefined> = stream.iterator({ destroyOnReturn: false });
  try {
    for (;;) {
      const step = await guard.race(pieces.next());
      if (step.done === true) return;
      receivedBytes += step.value.length;
      if (receivedBytes > limits.maxBytes) throw tooLarge(limits.maxBytes);
      yield step.value;
      guard.restart();
    }
  } finally {
    // Gives the stream back, so that the rest can be thrown away. Not awaited: a read that the client keeps
    // waiting for ever would come first.
    pieces.return?.().catch(() => {});
  }
}

/** A whole body, for routes whose bodies are small. */
export async function readBody(
  stream: Readable,
  request: IncomingMessage,
  limits: BodyLimits,
): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of bodyPieces(stream, request, limits)) pieces.push(piece);
  return pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces);
}
