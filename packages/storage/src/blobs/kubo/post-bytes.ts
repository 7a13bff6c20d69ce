import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { RemoteFailure } from "../remote/remote-failure.ts";

const BOUNDARY = "twentysix-1f2e3d4c5b6a79880796a5b4c3d2e1f0";
const HEAD = [
  `--${BOUNDARY}`,
  'Content-Disposition: form-data; name="file"; filename="file"',
  "Content-Type: application/octet-stream",
  "\r\n",
].join("\r\n");
const TAIL = `\r\n--${BOUNDARY}--\r\n`;
/** Kubo answers an upload with a few short lines. */
const MAX_ANSWER_BYTES = 64 * 1024;

export type AnswerLine = Readonly<Record<string, unknown>>;

/**
 * Sends bytes to a command of the RPC API as the one file of a form, piece by piece as the daemon takes them, and
 * gives the lines of its answer. Neither the uploads of kubo-rpc-client 7 nor those of `fetch` (Node 24) wait for
 * the daemon: a file of 200 MiB stood in memory whole.
 * @throws RemoteFailure; errors of the connection; what the source throws; the signal's reason
 */
export async function postBytes(
  url: URL,
  bytes: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<readonly AnswerLine[]> {
  const headers = { "content-type": `multipart/form-data; boundary=${BOUNDARY}` };
  const upload = request(url, { method: "POST", headers, signal, agent: false });
  try {
    // A refusal may come, and the connection end, before everything is sent: the answer says more than the break.
    const answered = once(upload, "response").then(([response]) => linesOf(response as IncomingMessage));
    const sent = pipeline(Readable.from(formOf(bytes), { objectMode: false }), upload);
    const [answer, sending] = await Promise.allSettled([answered, sent]);
    if (sending.status === "rejected" && !isRefusal(answer)) throw sending.reason;
    if (answer.status === "rejected") throw answer.reason;
    return answer.value;
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw error;
  } finally {
    upload.destroy();
  }
}

const isRefusal = (answer: PromiseSettledResult<unknown>): boolean =>
  answer.status === "rejected" && answer.reason instanceof RemoteFailure;

async function* formOf(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  yield Buffer.from(HEAD);
  yield* bytes;
  // A source that fails ends the form without this, which makes it void.
  yield Buffer.from(TAIL);
}

async function linesOf(response: IncomingMessage): Promise<readonly AnswerLine[]> {
  const pieces: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const piece of response as AsyncIterable<Uint8Array>) {
    sizeBytes += piece.byteLength;
    if (sizeBytes > MAX_ANSWER_BYTES) throw new RemoteFailure("refused", "the answer is too long");
    pieces.push(piece);
  }
  const text = Buffer.concat(pieces).toString();
  const status = response.statusCode ?? 0;
  if (status === 429 || status >= 502) throw new RemoteFailure("away", `HTTP ${status}`);
  const values = text.startsWith("{") ? parseLines(text) : [];
  const problem = values.find((value) => value.Type === "error");
  if (problem !== undefined) throw new RemoteFailure("refused", String(problem.Message));
  if (status !== 200) throw new RemoteFailure("refused", `HTTP ${status}: ${text.slice(0, 200).trim()}`);
  return values;
}

function parseLines(text: string): AnswerLine[] {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return lines.map((line) => JSON.parse(line) as AnswerLine);
}
