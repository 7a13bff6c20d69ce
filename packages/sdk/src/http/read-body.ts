import { SdkError } from "../errors.ts";

/** The bytes of a body. Error: SDK_ANSWER_TOO_LARGE as soon as they pass `maxBytes`; the rest is not read. */
export async function readBody(response: Response, url: string, maxBytes: number): Promise<Uint8Array> {
  const declared = Number(response.headers.get("content-length") ?? "0");
  if (declared > maxBytes) {
    await response.body?.cancel();
    throw tooLarge(url, maxBytes);
  }
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of bodyChunks(response)) {
    sizeBytes += chunk.length;
    if (sizeBytes > maxBytes) throw tooLarge(url, maxBytes);
    chunks.push(chunk);
  }
  return joinChunks(chunks, sizeBytes);
}

/** Reads by hand: not every browser can iterate a stream. Leaving the loop cancels the rest. */
async function* bodyChunks(response: Response): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  let isEnded = false;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      isEnded = done;
      if (done) return;
      yield value;
    }
  } finally {
    if (!isEnded) await reader.cancel().catch(ignoreBrokenStream);
  }
}

/** Cancelling a stream that has already failed only repeats the failure that is on its way to the caller. */
function ignoreBrokenStream(): void {}

function joinChunks(chunks: readonly Uint8Array[], sizeBytes: number): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}

function tooLarge(url: string, maxBytes: number): SdkError<"SDK_ANSWER_TOO_LARGE"> {
  const message = `${url} answers with more than ${maxBytes} bytes; ask for less or raise the bound`;
  return new SdkError("SDK_ANSWER_TOO_LARGE", message, { url, maxBytes });
}
