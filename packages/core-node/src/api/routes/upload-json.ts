import { Type } from "@sinclair/typebox";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { ApiContext } from "../context.ts";
import { FILE_SERVER_REFUSALS } from "../errors.ts";
import { disconnectSignal } from "../http/disconnect.ts";
import { assertAnnouncedSize, readBody } from "../http/request-body.ts";
import { addPost } from "../http/route.ts";
import { sendProblems } from "../http/send-error.ts";
import type { ValidationProblem } from "../query/validation-problem.ts";
import { UPLOADED } from "../schemas/submission.ts";
import type { UploadEngine } from "../services.ts";
import { registerForGracePeriod, sendUploaded } from "../uploads/finish-upload.ts";
import { ipfsDisabled } from "../uploads/ipfs-disabled.ts";
import { JsonCanonicaliser } from "../uploads/json-canonicaliser.ts";
import { stallLimits } from "../uploads/stall-limits.ts";

/** Uploads of a JSON value; what is stored and hashed is its compact form with sorted keys. */
export function addJsonUploadRoutes(api: FastifyInstance, context: ApiContext): void {
  const canonicaliser = new JsonCanonicaliser();
  for (const engine of ["storage", "ipfs"] as const) {
    addPost(
      api,
      `/api/v0/${engine}/add_json`,
      {
        cost: "upload",
        tag: "Storage",
        summary: `Upload a JSON value (${engine})`,
        body: { "application/json": Type.Unknown({ description: "Any JSON value." }) },
        response: UPLOADED,
        refusals: [...(engine === "ipfs" ? (["API_IPFS_DISABLED"] as const) : []), ...FILE_SERVER_REFUSALS],
      },
      (request, reply) => uploadJson(request, reply, engine, canonicaliser, context),
    );
  }
}

async function uploadJson(
  request: FastifyRequest,
  reply: FastifyReply,
  engine: UploadEngine,
  canonicaliser: JsonCanonicaliser,
  context: ApiContext,
): Promise<FastifyReply> {
  const { services, settings, metrics } = context;
  if (engine === "ipfs" && !services.uploads.ipfsEnabled) throw ipfsDisabled();
  const signal = disconnectSignal(reply);
  const maxBytes = settings.uploads.maxJsonBytes;
  assertAnnouncedSize(request.raw, maxBytes);
  const body = await readBody(request.raw, request.raw, { ...stallLimits(context, signal), maxBytes });
  const canonical = await canonicaliser.canonicalise(body, signal);
  if (!canonical.ok) return sendProblems(reply, [notJson(canonical.reason)]);
  await using staged = await services.uploads.stageFile(once(canonical.bytes), {
    engine,
    signal,
  });
  using _room = await services.uploads.reserveGrace(staged);
  const file = await staged.keep();
  await registerForGracePeriod(context, file, { isSigned: false });
  metrics.uploadBytes.inc({ engine }, canonical.bytes.length);
  return sendUploaded(reply, 200, { status: "success", hash: staged.hash });
}

function notJson(reason: string): ValidationProblem {
  return { type: "json_invalid", loc: ["body"], msg: `Invalid JSON: ${reason}`, input: null };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}
