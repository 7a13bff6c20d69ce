import type { Timers } from "@twentysix/platform";
import { ChainError } from "./errors.ts";

export interface HttpTextOptions {
  readonly timers: Pick<Timers, "withTimeout">;
  readonly signal: AbortSignal;
  /** JSON to post; without it the address is got. */
  readonly json?: unknown;
}

const TIMEOUT_MS = 30_000;
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/**
 * What a server answers, as text, within a time and a size.
 *
 * @throws ChainError CHAIN_ANSWER_TOO_LARGE; what `fetch` throws; the signal's reason
 */
export async function httpText(
  url: string,
  { timers, signal, json }: HttpTextOptions,
): Promise<{ readonly status: number; readonly body: string }> {
  const post = {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(json),
  } as const;
  return await timers.withTimeout(
    TIMEOUT_MS,
    async (stop) => {
      const response = await fetch(url, {
        ...(json === undefined ? {} : post),
        redirect: "error",
        signal: stop,
      });
      return { status: response.status, body: await bodyText(response) };
    },
    signal,
  );
}

/** Reads an answer, at most so much of it. */
async function bodyText(response: Response): Promise<string> {
  const pieces: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const piece of response.body ?? []) {
    sizeBytes += piece.byteLength;
    if (sizeBytes > MAX_ANSWER_BYTES) {
      throw new ChainError("CHAIN_ANSWER_TOO_LARGE", `An answer has more than ${MAX_ANSWER_BYTES} bytes`);
    }
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString();
}
