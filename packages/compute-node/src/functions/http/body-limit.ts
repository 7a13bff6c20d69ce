import type { IncomingMessage } from "node:http";
import { Transform } from "node:stream";
import { FunctionError } from "./function-error.ts";

export function tooLarge(maxBytes: number): FunctionError {
  return new FunctionError(413, `The body of a request to a program has at most ${maxBytes} bytes`, {
    headers: { connection: "close" },
  });
}

/** A visitor was slow, which is no failure of the program. */
export function tooSlow(timeoutMs: number): FunctionError {
  const text = `The body of the request did not come within ${timeoutMs / 1_000} s: send it again`;
  return new FunctionError(408, text, { headers: { connection: "close" } });
}

/** Whether there is a body to be sent on. @throws FunctionError 413 when it says that it is too long */
export function expectBody(request: IncomingMessage, maxBytes: number): boolean {
  if (request.headers["transfer-encoding"] !== undefined) return true;
  const length = Number(request.headers["content-length"] ?? 0);
  if (length > maxBytes) throw tooLarge(maxBytes);
  return length > 0;
}

/** Passes bytes on, and fails with 413 after too many. */
export function bodyLimit(maxBytes: number): Transform {
  let length = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      length += chunk.length;
      if (length > maxBytes) done(tooLarge(maxBytes));
      else done(null, chunk);
    },
  });
}
