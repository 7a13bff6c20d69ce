import type { ServerResponse } from "node:http";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { GuestApiError } from "./errors.ts";

const TIMEOUT_MS = 30_000;
const MAX_ANSWER_BYTES = 100 * 1024 ** 2;
/** What tells a program of the answer; the rest is of the connection between the nodes. */
const PASSED = ["content-type", "etag", "last-modified", "cache-control", "location", "x-total-count"];

/**
 * Sends a request of a program to a core node, the next one where that cannot be reached, and the answer back as it
 * comes, up to a size and a time.
 *
 * @throws GuestApiError 502
 */
export async function proxyToCoreNode(
  response: ServerResponse,
  urls: readonly string[],
  init: RequestInit,
  { fetch, signal }: { readonly fetch: typeof globalThis.fetch; readonly signal: AbortSignal },
): Promise<void> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
  const answer = await firstAnswer(urls, (url) => fetch(url, { ...init, redirect: "manual", signal: limit }));
  const headers: [string, string][] = [];
  for (const name of PASSED) {
    const value = answer.headers.get(name);
    if (value !== null) headers.push([name, value]);
  }
  response.writeHead(answer.status, headers.flat());
  if (answer.body === null) {
    response.end();
    return;
  }
  await pipeline(
    Readable.fromWeb(answer.body as Parameters<typeof Readable.fromWeb>[0]),
    bounded(),
    response,
  );
}

async function firstAnswer(
  urls: readonly string[],
  ask: (url: string) => Promise<Response>,
): Promise<Response> {
  let cause: unknown = null;
  for (const url of urls) {
    try {
      return await ask(url);
    } catch (error) {
      cause = error;
    }
  }
  throw new GuestApiError(502, "No core node of this node answers", { cause });
}

function bounded(): Transform {
  let length = 0;
  return new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      length += chunk.length;
      if (length > MAX_ANSWER_BYTES) done(new Error(`the answer has more than ${MAX_ANSWER_BYTES} bytes`));
      else done(null, chunk);
    },
  });
}
