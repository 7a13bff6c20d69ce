import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import type { FastifyReply, FastifyRequest } from "fastify";

export const JSON_TYPE = "application/json; charset=utf-8";
/** Below this compression costs more than it saves. */
export const COMPRESSION_THRESHOLD_BYTES = 1024;

const BROTLI_OPTIONS = { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } };
const GZIP_OPTIONS = { level: 5 };
const compressBrotli = promisify(brotliCompress);
const compressGzip = promisify(gzip);

export type ContentEncoding = "br" | "gzip";

/** The best encoding that the client takes, if it takes any. */
export function negotiateEncoding(request: FastifyRequest): ContentEncoding | null {
  const accepted = request.headers["accept-encoding"];
  if (typeof accepted !== "string") return null;
  const offers = new Map<string, number>();
  for (const offer of accepted.toLowerCase().split(",")) {
    const [name = "", ...parameters] = offer.trim().split(";");
    const quality = parameters.map((parameter) => /^\s*q=([0-9.]+)\s*$/.exec(parameter)?.[1]).find(Boolean);
    offers.set(name.trim(), quality === undefined ? 1 : Number(quality));
  }
  const wants = (name: string): boolean => (offers.get(name) ?? offers.get("*") ?? 0) > 0;
  if (wants("br")) return "br";
  return wants("gzip") ? "gzip" : null;
}

/**
 * Sends finished JSON text, compressed when it is worth it. `@fastify/compress` compresses whatever passes its hook:
 * answers whose encodings are kept (`aggregate-cache.ts`) and files, which are never compressed, would have to be
 * taken out of it one by one.
 */
export function sendJson(
  request: FastifyRequest,
  reply: FastifyReply,
  text: string,
): FastifyReply | Promise<FastifyReply> {
  reply.header("content-type", JSON_TYPE);
  // Texts that are short in UTF-16 units can be three times as long in bytes, which does no harm here.
  if (text.length <= COMPRESSION_THRESHOLD_BYTES) return reply.send(text);
  reply.header("vary", "Origin, Accept-Encoding");
  const encoding = negotiateEncoding(request);
  if (encoding === null || request.method === "HEAD") return reply.send(text);
  return sendCompressed(reply, text, encoding);
}

async function sendCompressed(
  reply: FastifyReply,
  text: string,
  encoding: ContentEncoding,
): Promise<FastifyReply> {
  const body = await (encoding === "br"
    ? compressBrotli(text, BROTLI_OPTIONS)
    : compressGzip(text, GZIP_OPTIONS));
  return reply.header("content-encoding", encoding).send(body);
}
