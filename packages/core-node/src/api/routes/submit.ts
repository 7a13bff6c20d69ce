import { Type } from "@sinclair/typebox";
import { isJsonObject, type JsonObject, memberOf, sliceMember } from "@twentysix/protocol";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { ApiContext } from "../context.ts";
import { disconnectSignal } from "../http/disconnect.ts";
import { readJsonBody, requireObject } from "../http/json-body.ts";
import { addPost } from "../http/route.ts";
import { sendProblems } from "../http/send-error.ts";
import type { ValidationProblem } from "../query/validation-problem.ts";
import { SUBMISSION, SUBMISSION_ANSWERS } from "../schemas/submission.ts";
import { sendSubmission } from "../submission-reply.ts";
import { readSyncFlag } from "../sync-flag.ts";

const BODY = Type.Object({
  sync: Type.Optional(Type.Boolean({ description: "Wait for the outcome.", default: false })),
  timeout: Type.Optional(Type.Number({ description: "Seconds to wait at most.", minimum: 0, maximum: 30 })),
  message: Type.Object({}, { description: "The signed envelope.", additionalProperties: true }),
});

/** Submission of a message. 202 means that it is durably queued. Source: pyaleph `src/aleph/web/controllers/p2p.py`. */
export function addSubmitRoute(api: FastifyInstance, context: ApiContext): void {
  addPost(
    api,
    "/api/v0/messages",
    {
      cost: "write",
      tag: "Messages",
      summary: "Submit a signed message",
      body: { "application/json": BODY },
      response: SUBMISSION,
      answers: SUBMISSION_ANSWERS,
    },
    (request, reply) => submit(request, reply, context),
  );
}

async function submit(
  request: FastifyRequest,
  reply: FastifyReply,
  context: ApiContext,
): Promise<FastifyReply> {
  const { services, settings, metrics } = context;
  const body = requireObject(await readJsonBody(request, reply, context));
  if (!body.ok) return sendProblems(reply, body.problems);
  const sync = readSyncFlag(memberOf(body.value, "sync"));
  const timeoutMs = readTimeout(body.value, settings.maxSyncTimeoutMs);
  const envelopeText = readMessage(body.value, body.text);
  const problems = [sync, timeoutMs, envelopeText].filter((part) => typeof part === "object");
  if (problems.length > 0) return sendProblems(reply, problems);
  const outcome = await services.submit(envelopeText as string, {
    origin: "http",
    sync: sync as boolean,
    timeoutMs: timeoutMs as number,
    signal: disconnectSignal(reply),
  });
  metrics.submissions.inc({ outcome: outcome.refused ? "refused" : outcome.status });
  return sendSubmission(reply, outcome);
}

/** The exact text of the envelope: a signature may cover bytes that would not survive a decoding. */
function readMessage(body: JsonObject, text: string): string | ValidationProblem {
  const message = memberOf(body, "message");
  if (message === undefined) return { type: "missing", loc: ["message"], msg: "Field required", input: null };
  if (!isJsonObject(message)) {
    return { type: "dict_type", loc: ["message"], msg: "Input should be an object", input: null };
  }
  return sliceMember(text, "message") ?? "";
}

function readTimeout(body: JsonObject, maxMs: number): number | ValidationProblem {
  const timeout = memberOf(body, "timeout") ?? null;
  if (timeout === null) return maxMs;
  if (typeof timeout === "number" && timeout >= 0) return Math.min(timeout * 1_000, maxMs);
  const msg = `Input should be a number of seconds from 0 to ${maxMs / 1_000}`;
  return { type: "float_type", loc: ["timeout"], msg, input: null };
}
