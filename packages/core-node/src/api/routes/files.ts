import { Type } from "@sinclair/typebox";
import type { FileView } from "@twentysix/storage";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { ApiContext } from "../context.ts";
import { ApiError, FILE_SERVER_REFUSALS } from "../errors.ts";
import { base64JsonText } from "../http/base64-text.ts";
import { parseRange } from "../http/byte-range.ts";
import { isUnchanged, sendUnchanged } from "../http/conditional.ts";
import { disconnectSignal } from "../http/disconnect.ts";
import { fileHashOf } from "../http/file-hash.ts";
import { sendJsonStream } from "../http/json-stream.ts";
import { addGet, addPlainGet, type Call } from "../http/route.ts";
import { sendBytes } from "../http/send-bytes.ts";
import { SNIFFED_BYTES, sniffType } from "../http/sniff-type.ts";
import { choice, text } from "../query/parameter.ts";

const RAW_PARAMETERS = {
  contentType: choice(["content-type", "content_type"], ["auto", "binary"], "binary"),
  filename: text(["filename"], 255),
} as const;

const BASE64_RESPONSE = Type.Object({
  status: Type.Literal("success"),
  hash: Type.String(),
  engine: Type.Union([Type.Literal("storage"), Type.Literal("ipfs")]),
  content: Type.String({ description: "Base64, a newline after every 76 characters." }),
});

/** Downloads by the hash of the file. Source: pyaleph `src/aleph/web/controllers/storage.py`. */
export function addFileRoutes(api: FastifyInstance, context: ApiContext): void {
  addPlainGet(
    api,
    "/api/v0/storage/:file_hash",
    {
      cost: "list",
      tag: "Storage",
      summary: "A file as base64 JSON",
      response: BASE64_RESPONSE,
      refusals: ["API_INVALID_HASH", "API_NOT_FOUND", "API_BODY_TOO_LARGE", ...FILE_SERVER_REFUSALS],
    },
    (request, reply) => answerBase64(request, reply, context),
  );
  addGet(
    api,
    "/api/v0/storage/raw/:file_hash",
    {
      cost: "list",
      tag: "Storage",
      summary: "The bytes of a file, or a directory as a tar archive",
      query: RAW_PARAMETERS,
      produces: "application/octet-stream",
      refusals: ["API_INVALID_HASH", "API_NOT_FOUND", "API_RANGE_NOT_SATISFIABLE", ...FILE_SERVER_REFUSALS],
    },
    (call) => answerRaw(call, context),
  );
}

async function answerBase64(
  request: FastifyRequest,
  reply: FastifyReply,
  { services, settings, metrics }: ApiContext,
): Promise<FastifyReply> {
  const { hash, engine } = fileHashOf(request);
  const file = await services.reads.file(hash);
  if (file === null || file.type === "dir") throw fileNotFound();
  if (file.sizeBytes > settings.maxBase64FileBytes) {
    throw new ApiError(
      "API_BODY_TOO_LARGE",
      `413: the file is too large for JSON: use /api/v0/storage/raw/${hash}`,
      {
        sizeBytes: file.sizeBytes,
        maxBytes: settings.maxBase64FileBytes,
      },
    );
  }
  const bytes = await services.downloads.openFile(hash, { signal: disconnectSignal(reply) });
  if (bytes === null) throw fileNotFound();
  metrics.downloadBytes.inc(file.sizeBytes);
  const opening = `{"status":"success","hash":${JSON.stringify(hash)},"engine":"${engine}","content":"`;
  return sendJsonStream(request, reply, wrapped(opening, base64JsonText(bytes), '"}'));
}

async function answerRaw(call: Call<typeof RAW_PARAMETERS>, context: ApiContext): Promise<FastifyReply> {
  const { request, reply, query } = call;
  const { hash } = fileHashOf(request);
  const file = await context.services.reads.file(hash);
  if (file === null) throw fileNotFound();
  const etag = `"${hash}"`;
  reply.header("etag", etag).header("cache-control", "public, max-age=31536000, immutable");
  if (query.filename !== null) reply.header("content-disposition", disposition(query.filename));
  if (isUnchanged(request, etag)) return sendUnchanged(reply);
  return file.type === "dir" ? answerDirectory(call, hash, context) : answerFile(call, file, etag, context);
}

async function answerDirectory(
  { request, reply }: Call,
  hash: string,
  context: ApiContext,
): Promise<FastifyReply> {
  reply.header("content-type", "application/x-tar").header("accept-ranges", "none");
  const { downloads } = context.services;
  const signal = disconnectSignal(reply);
  if (request.method === "HEAD") {
    if (!(await downloads.isServed(hash, { signal }))) throw fileNotFound();
    return reply.send();
  }
  const archive = await downloads.openTar(hash, { signal });
  if (archive === null) throw fileNotFound();
  return sendBytes(reply, archive, null, (bytes) => context.metrics.downloadBytes.inc(bytes));
}

async function answerFile(
  { request, reply, query }: Call<typeof RAW_PARAMETERS>,
  { fileHash, sizeBytes }: FileView,
  etag: string,
  { services, metrics }: ApiContext,
): Promise<FastifyReply> {
  const { downloads } = services;
  const signal = disconnectSignal(reply);
  const isHead = request.method === "HEAD";
  const ifRange = request.headers["if-range"];
  const range =
    isHead || (ifRange !== undefined && ifRange !== etag)
      ? null
      : parseRange(request.headers.range, sizeBytes);
  if (range === "unsatisfiable") {
    throw new ApiError(
      "API_RANGE_NOT_SATISFIABLE",
      `416: the file has ${sizeBytes} bytes`,
      { sizeBytes },
      { "content-range": `bytes */${sizeBytes}`, "cache-control": "no-store" },
    );
  }
  let type = "application/octet-stream";
  if (query.contentType === "auto") {
    const end = Math.min(SNIFFED_BYTES, sizeBytes);
    const head = await downloads.openFile(fileHash, { signal, range: { start: 0, end } });
    if (head === null) throw fileNotFound();
    type = sniffType(Buffer.concat(await Array.fromAsync(head)));
    reply.header("x-content-type-options", "nosniff").header("content-security-policy", "sandbox");
  }
  reply.header("content-type", type);
  if (isHead) {
    if (!(await downloads.isServed(fileHash, { signal }))) throw fileNotFound();
    reply.header("accept-ranges", "none").header("content-length", sizeBytes);
    return reply.send();
  }
  const bytes = await downloads.openFile(fileHash, range === null ? { signal } : { signal, range });
  if (bytes === null) throw fileNotFound();
  const count = (sent: number): void => metrics.downloadBytes.inc(sent);
  if (range === null) return sendBytes(reply.header("accept-ranges", "none"), bytes, sizeBytes, count);
  reply
    .code(206)
    .header("accept-ranges", "bytes")
    .header("content-range", `bytes ${range.start}-${range.end - 1}/${sizeBytes}`);
  return sendBytes(reply, bytes, range.end - range.start, count);
}

function fileNotFound(): ApiError {
  const message = "404: Not Found. This node does not have this file";
  // The bytes may come, or come again, under a name that is found for ever.
  return new ApiError("API_NOT_FOUND", message, {}, { "cache-control": "no-store" });
}

/** RFC 6266: a plain name for old clients, the exact one in UTF-8. */
function disposition(filename: string): string {
  const plain = filename.replace(/[^\x20-\x7e]|["\\%;]/g, "_");
  const exact = encodeURIComponent(filename.toWellFormed()).replace(
    /['()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16)}`,
  );
  return `attachment; filename="${plain}"; filename*=UTF-8''${exact}`;
}

async function* wrapped(
  opening: string,
  text: AsyncIterable<string>,
  closing: string,
): AsyncGenerator<string, void, undefined> {
  yield opening;
  yield* text;
  yield closing;
}
