import { canonicaliseJsonText } from "@twentysix/protocol";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { ApiContext } from "../context.ts";
import { ApiError } from "../errors.ts";
import { disconnectSignal } from "../http/disconnect.ts";
import { readJsonBody } from "../http/json-body.ts";
import { addPost } from "../http/route.ts";
import { sendProblems } from "../http/send-error.ts";
import type { UploadEngine } from "../services.ts";
import { registerForGracePeriod, sendUploaded } from "../uploads/finish-upload.ts";

/** Uploads of a JSON value; what is stored and hashed is its compact form with sorted keys. */
export function addJsonUploadRoutes(api: FastifyInstance, context: ApiContext): void {
  for (const engine of ["storage", "ipfs"] as const) {
    addPost(
      api,
      `/api/v0/${engine}/add_json`,
      { cost: "upload", tag: "Storage", summary: `Upload a JSON value (${engine})` },
      (request, reply) => uploadJson(request, reply, engine, context),
    );
  }
}

async function uploadJson(
  request: FastifyRequest,
  reply: FastifyReply,
  engine: UploadEngine,
  context: ApiContext,
): Promise<FastifyReply> {
  const { services, settings, metrics } = context;
  if (engine === "ipfs" && !services.uploads.ipfsEnabled) throw ipfsDisabled();
  const body = await readJsonBody(request, reply, context, settings.uploads.maxJsonBytes);
  if (!body.ok) return sendProblems(reply, body.problems);
  const canonical = canonicaliseJsonText(body.text);
  if (!canonical.ok) throw new ApiError("API_UNPROCESSABLE", `422: ${canonical.reason}`);
  const bytes = Buffer.from(canonical.text);
  await using staged = await services.uploads.stageFile(once(bytes), {
    engine,
    signal: disconnectSignal(reply),
  });
  const file = await staged.keep();
  await registerForGracePeriod(context, file);
  metrics.uploadBytes.inc({ engine }, bytes.length);
  return sendUploaded(reply, 200, { status: "success", hash: staged.hash });
}

export function ipfsDisabled(): ApiError {
  return new ApiError(
    "API_IPFS_DISABLED",
    "403: IPFS is disabled on this node: upload with the storage engine",
  );
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer, void, undefined> {
  yield bytes;
}
