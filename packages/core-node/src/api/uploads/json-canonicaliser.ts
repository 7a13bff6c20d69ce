import { Worker } from "node:worker_threads";
import { onAbort, PlatformError, Semaphore } from "@twentysix/platform";
import { ApiError } from "../errors.ts";
import { type CanonicalBytes, canonicalBytes } from "./canonical-bytes.ts";

/** Bodies above this take long enough to be felt by others, so they get a thread of their own. */
const MAX_INLINE_BYTES = 64 * 1024;
const MAX_WAITING = 8;
/** Millions of tiny values take far more memory than their text. */
const MAX_HEAP_MIB = 384;

/** Brings JSON bodies into their canonical form: small ones at once, large ones one after another in a thread. */
export class JsonCanonicaliser {
  readonly #turn = new Semaphore({ permits: 1, maxWaiters: MAX_WAITING });

  /** @throws ApiError API_OVERLOADED, API_BODY_TOO_LARGE (too many values), or the reason of the signal */
  async canonicalise(body: Buffer, signal: AbortSignal): Promise<CanonicalBytes> {
    if (body.length <= MAX_INLINE_BYTES) return canonicalBytes(body);
    using _turn = await this.#turn.acquire(signal).catch(refuseWaiting);
    return await inThread(body, signal);
  }
}

async function inThread(body: Buffer, signal: AbortSignal): Promise<CanonicalBytes> {
  const worker = new Worker(new URL("./canonicalise-worker.ts", import.meta.url), {
    name: "canonicalise-json",
    workerData: body,
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MIB },
  });
  const outcome = Promise.withResolvers<CanonicalBytes>();
  worker.once("message", outcome.resolve);
  worker.once("error", (error) => outcome.reject(isOutOfMemory(error) ? tooManyValues() : error));
  const release = onAbort(signal, outcome.reject);
  try {
    return await outcome.promise;
  } finally {
    release();
    await worker.terminate();
  }
}

function refuseWaiting(error: unknown): never {
  if (!(error instanceof PlatformError)) throw error;
  throw new ApiError(
    "API_OVERLOADED",
    "This node has many large JSON uploads to work on: try again in a moment, or upload the JSON as a file",
    {},
    { "retry-after": "5" },
  );
}

function tooManyValues(): ApiError {
  return new ApiError(
    "API_BODY_TOO_LARGE",
    "413: too many values in one JSON body: upload it as a file instead",
  );
}

function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_WORKER_OUT_OF_MEMORY";
}
