import { hash } from "node:crypto";
import type { FastifyInstance, FastifyReply } from "fastify";
import type { ApiContext } from "../context.ts";
import { ApiError, FILE_SERVER_REFUSALS } from "../errors.ts";
import { parseRange } from "../http/byte-range.ts";
import { isUnchanged, sendUnchanged } from "../http/conditional.ts";
import { disconnectSignal } from "../http/disconnect.ts";
import { mediaTypeOf } from "../http/media-type.ts";
import { addGet, type Call, pathValue } from "../http/route.ts";
import { sendBytes } from "../http/send-bytes.ts";
import { SNIFFED_BYTES, sniffType } from "../http/sniff-type.ts";
import { choice } from "../query/parameter.ts";
import type { GatewayContent } from "../services.ts";

const PARAMETERS = {
  format: choice(["format"], ["raw", "car", "none"], "none"),
  scope: choice(["dag-scope"], ["block", "entity", "all"], "all"),
} as const;

const RAW_TYPE = "application/vnd.ipld.raw";
const CAR_TYPE = "application/vnd.ipld.car";
/** Scripts of a site run, in an origin of nobody: they reach nothing of this node that a stranger would not. */
const SITE_POLICY = "sandbox allow-scripts allow-forms allow-popups allow-downloads";

/**
 * What this node holds, as an IPFS gateway gives it: blocks and CARs that the client verifies, and files for browsers.
 * Source: IPFS Trustless Gateway Specification, IPFS Path Gateway Specification.
 */
export function addGatewayRoutes(api: FastifyInstance, context: ApiContext): void {
  for (const url of ["/ipfs/:cid", "/ipfs/:cid/*"])
    addGet(
      api,
      url,
      {
        cost: "list",
        tag: "IPFS",
        summary: "What stands under a CID and a path: a file, a raw block or a CAR",
        query: PARAMETERS,
        produces: "application/octet-stream",
        refusals: ["API_NOT_FOUND", "API_RANGE_NOT_SATISFIABLE", ...FILE_SERVER_REFUSALS],
      },
      (call) => answer(call, context),
    );
}

async function answer(call: Call<typeof PARAMETERS>, context: ApiContext): Promise<FastifyReply> {
  const { request, reply } = call;
  const root = pathValue(request, "cid");
  const path = pathValue(request, "*");
  const signal = disconnectSignal(reply);
  const found = await context.services.gateway.find(root, path, signal);
  if (found === null) throw notFound();
  reply.header("x-ipfs-path", encodeURI(`/ipfs/${root}${path === "" ? "" : `/${path}`}`));
  reply.header("x-content-type-options", "nosniff").header("vary", "accept");
  const format = formatOf(call);
  if (format === "raw") return answerRaw(call, found, context);
  if (format === "car") return answerCar(call, found, context);
  return answerFile(call, { root, path, found }, context, signal);
}

/** What the query says wins over what is accepted. */
function formatOf({ request, query }: Call<typeof PARAMETERS>): "raw" | "car" | null {
  if (query.format !== "none") return query.format;
  const accepted = (request.headers.accept ?? "").split(",").map((one) => one.split(";", 1)[0]?.trim());
  return accepted.includes(RAW_TYPE) ? "raw" : accepted.includes(CAR_TYPE) ? "car" : null;
}

function answerRaw(
  { request, reply }: Call<typeof PARAMETERS>,
  { cid, block }: GatewayContent,
  { metrics }: ApiContext,
): FastifyReply {
  const etag = `"${cid}.raw"`;
  immutable(reply, etag).header("content-type", RAW_TYPE);
  reply.header("content-disposition", `attachment; filename="${cid}.bin"`);
  if (isUnchanged(request, etag)) return sendUnchanged(reply);
  if (request.method === "HEAD") return reply.header("content-length", block.byteLength).send();
  metrics.downloadBytes.inc(block.byteLength);
  return reply.send(Buffer.from(block));
}

function answerCar(
  { request, reply, query }: Call<typeof PARAMETERS>,
  { cid, car }: GatewayContent,
  { metrics }: ApiContext,
): FastifyReply {
  // The way to it is part of the answer.
  const way = hash("sha256", `${pathValue(request, "cid")}/${pathValue(request, "*")}`).slice(0, 16);
  const etag = `W/"${cid}.car.${query.scope}.${way}"`;
  immutable(reply, etag).header("content-type", `${CAR_TYPE}; version=1; order=dfs; dups=n`);
  reply.header("content-disposition", `attachment; filename="${cid}.car"`).header("accept-ranges", "none");
  if (isUnchanged(request, etag)) return sendUnchanged(reply);
  if (request.method === "HEAD") return reply.send();
  return sendBytes(reply, car(query.scope), null, (bytes) => metrics.downloadBytes.inc(bytes));
}

async function answerFile(
  { request, reply }: Call<typeof PARAMETERS>,
  asked: { readonly root: string; readonly path: string; readonly found: GatewayContent },
  context: ApiContext,
  signal: AbortSignal,
): Promise<FastifyReply> {
  const { root, found } = asked;
  let { path } = asked;
  let file: GatewayContent | null = found;
  if (found.kind === "directory") {
    const at = request.url.split("?", 1)[0] ?? "";
    // What the page refers to is relative to the directory.
    if (!at.endsWith("/")) return reply.code(301).header("location", `${at}/`).send();
    path = `${path}/index.html`;
    file = await context.services.gateway.find(root, path, signal);
  }
  if (file === null || file.kind !== "file") throw notFound();
  const etag = `"${file.cid}"`;
  immutable(reply, etag).header("content-security-policy", SITE_POLICY).header("accept-ranges", "bytes");
  if (isUnchanged(request, etag)) return sendUnchanged(reply);
  const { sizeBytes } = file;
  const ifRange = request.headers["if-range"];
  const range =
    ifRange === undefined || ifRange === etag ? parseRange(request.headers.range, sizeBytes) : null;
  if (range === "unsatisfiable")
    throw new ApiError(
      "API_RANGE_NOT_SATISFIABLE",
      `416: the file has ${sizeBytes} bytes`,
      { sizeBytes },
      { "content-range": `bytes */${sizeBytes}`, "cache-control": "no-store" },
    );
  reply.header("content-type", await typeOf(file, path));
  const span = range ?? { start: 0, end: sizeBytes };
  if (range !== null)
    reply.code(206).header("content-range", `bytes ${range.start}-${range.end - 1}/${sizeBytes}`);
  if (request.method === "HEAD") return reply.header("content-length", span.end - span.start).send();
  const count = (bytes: number): void => context.metrics.downloadBytes.inc(bytes);
  return sendBytes(reply, file.read(span), span.end - span.start, count);
}

async function typeOf(file: GatewayContent, path: string): Promise<string> {
  const named = mediaTypeOf(path);
  if (named !== null) return named;
  const end = Math.min(SNIFFED_BYTES, file.sizeBytes);
  return sniffType(Buffer.concat(await Array.fromAsync(file.read({ start: 0, end }))));
}

const immutable = (reply: FastifyReply, etag: string): FastifyReply =>
  reply.header("etag", etag).header("cache-control", "public, max-age=29030400, immutable");

function notFound(): ApiError {
  const message = "404: Not Found. This node does not hold this content, and its gateway gives nothing else";
  return new ApiError("API_NOT_FOUND", message, {}, { "cache-control": "no-store" });
}
