import type { IncomingMessage } from "node:http";
import { NetworkError } from "@twentysix/network";
import { boundedBody } from "./bounded-body.ts";
import type { ContentAnswer, ContentSource } from "./content-source.ts";
import { httpGet } from "./http-get.ts";
import type { MemoryRoom } from "./memory-room.ts";

export interface ApiSourceOptions {
  readonly apiUrl: string;
  readonly allowsPrivate: boolean;
  /** Bytes of the largest file that is taken. */
  readonly maxBytes: number;
  /** For files in JSON, of all sources together. */
  readonly jsonRoom: MemoryRoom;
}

/** Largest file that is taken as base64 in JSON, which stands in memory as a whole. */
const MAX_JSON_FILE_BYTES = 25 * 1024 * 1024;
/** Base64, a line feed every 76 characters, and what is around it. */
const MAX_JSON_BYTES = Math.ceil(MAX_JSON_FILE_BYTES * 1.37) + 1_024;

/**
 * A node of the existing network, over its HTTP API: the raw file, or the file in JSON where it does not give that.
 * Source: pyaleph `src/aleph/services/p2p/http.py`, `src/aleph/web/controllers/storage.py`.
 */
export function apiSource(options: ApiSourceOptions): ContentSource {
  const { apiUrl } = options;
  return {
    name: apiUrl,
    async ask(hash, signal) {
      const stop = new AbortController();
      const both = AbortSignal.any([signal, stop.signal]);
      const end = (): void => stop.abort();
      const answer =
        (await rawFile(options, hash, both, end)) ?? (await fileInJson(options, hash, both, end));
      if (answer === null) end();
      return answer;
    },
  };
}

async function rawFile(
  options: ApiSourceOptions,
  hash: string,
  signal: AbortSignal,
  end: () => void,
): Promise<ContentAnswer | null> {
  const answer = await get(options, `/api/v0/storage/raw/${hash}`, signal);
  // A directory comes as a tar, which no CID can be proven with.
  const isFile = answer.statusCode === 200 && !/\btar\b/.test(answer.headers["content-type"] ?? "");
  if (!isFile || Number(answer.headers["content-length"] ?? 0) > options.maxBytes) {
    answer.destroy();
    return null;
  }
  return { form: "bytes", isWhole: true, bytes: boundedBody(answer, options.maxBytes, options.apiUrl), end };
}

async function fileInJson(
  options: ApiSourceOptions,
  hash: string,
  signal: AbortSignal,
  end: () => void,
): Promise<ContentAnswer | null> {
  const answer = await get(options, `/api/v0/storage/${hash}`, signal);
  if (answer.statusCode !== 200) {
    answer.destroy();
    return null;
  }
  const held = options.jsonRoom.hold();
  let content: Uint8Array | null = null;
  try {
    const pieces: Uint8Array[] = [];
    for await (const piece of boundedBody(answer, MAX_JSON_BYTES, options.apiUrl)) {
      if (!held.grow(piece.byteLength)) return null;
      pieces.push(piece);
    }
    content = contentOf(Buffer.concat(pieces).toString("utf8"));
  } finally {
    if (content === null) held.giveBack();
  }
  if (content === null) return null;
  const endAll = (): void => {
    held.giveBack();
    end();
  };
  return { form: "bytes", isWhole: true, bytes: inOnePiece(content), end: endAll };
}

async function get(
  { apiUrl, allowsPrivate }: ApiSourceOptions,
  path: string,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const url = URL.parse(`${apiUrl.replace(/\/+$/, "")}${path}`);
  if (url === null) throw new NetworkError("NETWORK_PEER_FAILED", `${apiUrl} is no URL`);
  return await httpGet(url, { signal, allowsPrivate });
}

function contentOf(text: string): Uint8Array | null {
  try {
    const answer: unknown = JSON.parse(text);
    if (typeof answer !== "object" || answer === null) return null;
    const { status, content } = answer as Readonly<Record<string, unknown>>;
    return status === "success" && typeof content === "string" ? Buffer.from(content, "base64") : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

async function* inOnePiece(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}
