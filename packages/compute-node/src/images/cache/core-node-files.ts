import { decodeUtf8, isJsonObject, type JsonObject, memberOf, parseJson } from "@twentysix/protocol";
import { type Connection, createConnection, downloadFile, getMessage, verifyMessage } from "@twentysix/sdk";
import { ImageError } from "../errors.ts";
import type { FileBytes, FileSource, StoredFileName } from "./file-source.ts";

export interface CoreNodeFilesOptions {
  /** Base URL of the node. */
  readonly apiUrl: string;
  readonly fetch?: typeof globalThis.fetch;
}

/** Files over the HTTP API of a core node. The signature of every STORE message is verified here. */
export function createCoreNodeFiles({ apiUrl, fetch = globalThis.fetch }: CoreNodeFilesOptions): FileSource {
  const connection = createConnection({ apiUrl, fetch: (url, init) => fetch(url, init), retries: 1 });
  return {
    name: connection.apiUrl,
    async storedFile(storeHash, signal) {
      const view = await getMessage(connection, { itemHash: storeHash, signal });
      if (view?.status !== "processed" && view?.status !== "removing") return null;
      const verified = verifyMessage({ message: view.message });
      if (!verified.ok || view.message.item_hash !== storeHash) {
        throw new ImageError("FILE_WRONG", `${connection.apiUrl} served a forged message for ${storeHash}`);
      }
      return readStoredFile(
        storeHash,
        verified.content ?? (await fetchContent(connection, storeHash, signal)),
      );
    },
    async read(fileHash, startBytes, signal) {
      const url = `${connection.apiUrl}/api/v0/storage/raw/${fileHash}`;
      const headers = startBytes > 0 ? { range: `bytes=${startBytes}-` } : {};
      const response = await fetch(url, { headers, signal });
      if (response.ok && response.body !== null) return readAnswer(response, response.body);
      await response.body?.cancel();
      if (response.status === 404) return null;
      // Nothing is left after this byte: the part that is here may be all of it, or wrong.
      if (response.status === 416) return { startBytes, totalBytes: startBytes, chunks: nothing() };
      throw new ImageError("FILES_UNREACHABLE", `${url} answered ${response.status}`);
    },
  };
}

/** Of a message that has its content in a file, whose name is the hash of the message. */
async function fetchContent(
  connection: Connection,
  fileHash: string,
  signal: AbortSignal,
): Promise<JsonObject | null> {
  const file = await downloadFile(connection, { fileHash, maxBytes: MAX_CONTENT_BYTES, signal });
  const text = file?.isVerified === true ? decodeUtf8(file.bytes) : null;
  const parsed = text === null ? null : parseJson(text);
  return parsed?.ok === true && isJsonObject(parsed.value) ? parsed.value : null;
}

const MAX_CONTENT_BYTES = 1_048_576;

function readStoredFile(storeHash: string, content: JsonObject | null): StoredFileName {
  const fileHash = content === null ? null : memberOf(content, "item_hash");
  if (typeof fileHash === "string") return { fileHash };
  throw new ImageError("FILE_NOT_FOUND", `the message ${storeHash} stores no file: name a STORE message`);
}

/** `Content-Range: bytes 200-999/1000`; an answer without it begins at the beginning. */
function readAnswer(response: Response, chunks: AsyncIterable<Uint8Array>): FileBytes {
  const range = /^bytes (\d+)-\d+\/(\d+)$/.exec(response.headers.get("content-range") ?? "");
  if (response.status === 206 && range !== null) {
    return { startBytes: Number(range[1]), totalBytes: Number(range[2]), chunks };
  }
  const length = response.headers.get("content-length");
  // Of a packed answer the length says nothing about the file.
  const isPlain = response.headers.get("content-encoding") === null;
  const totalBytes = isPlain && length !== null && /^\d+$/.test(length) ? Number(length) : null;
  return { startBytes: 0, totalBytes, chunks };
}

async function* nothing(): AsyncGenerator<Uint8Array> {}
