import { Type } from "@sinclair/typebox";
import { memberOf, parseJson } from "@twentysix/protocol";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { ApiContext } from "../context.ts";
import { ApiError } from "../errors.ts";
import { disconnectSignal } from "../http/disconnect.ts";
import { readJsonBody, requireObject } from "../http/json-body.ts";
import { JSON_TYPE } from "../http/json-reply.ts";
import { addPost } from "../http/route.ts";
import { sendProblems } from "../http/send-error.ts";
import { PUBLISHED, PUBSUB_ANSWERS } from "../schemas/submission.ts";
import { sendSubmission } from "../submission-reply.ts";

const BODY = Type.Object({
  topic: Type.String(),
  data: Type.String({ description: "The signed envelope as JSON text." }),
});

/** The two older ways to submit a message; both are the same. */
export function addPubsubRoutes(api: FastifyInstance, context: ApiContext): void {
  for (const path of ["/api/v0/ipfs/pubsub/pub", "/api/v0/p2p/pubsub/pub"]) {
    const options = {
      cost: "write" as const,
      tag: "Messages",
      summary: "Submit a message (legacy)",
      body: { "application/json": BODY },
      response: PUBLISHED,
      refusals: ["API_FORBIDDEN"] as const,
      answers: PUBSUB_ANSWERS,
    };
    addPost(api, path, options, (request, reply) => publish(request, reply, context));
  }
}

async function publish(
  request: FastifyRequest,
  reply: FastifyReply,
  context: ApiContext,
): Promise<FastifyReply> {
  const { services } = context;
  const body = requireObject(await readJsonBody(request, reply, context));
  if (!body.ok) return sendProblems(reply, body.problems);
  const topic = memberOf(body.value, "topic");
  const data = memberOf(body.value, "data");
  if (topic === undefined || data === undefined) {
    const missing = topic === undefined ? "topic" : "data";
    return sendProblems(reply, [{ type: "missing", loc: [missing], msg: "Field required", input: null }]);
  }
  if (topic !== services.node.messageTopic) {
    throw new ApiError(
      "API_FORBIDDEN",
      `403: Forbidden. Only the topic ${services.node.messageTopic} is open`,
      {
        topic: services.node.messageTopic,
      },
    );
  }
  if (typeof data !== "string") {
    const msg = "Input should be the message as a JSON text; or use POST /api/v0/messages";
    return sendProblems(reply, [{ type: "string_type", loc: ["data"], msg, input: null }]);
  }
  const parsed = parseJson(data);
  if (!parsed.ok) {
    const msg = `Invalid JSON: ${parsed.reason}`;
    return sendProblems(reply, [{ type: "json_invalid", loc: ["data"], msg, input: null }]);
  }
  const signal = disconnectSignal(reply);
  const outcome = await services.submit(data, { origin: "http", sync: false, timeoutMs: 0, signal });
  if (outcome.refused) return sendSubmission(reply, outcome);
  const { publication } = outcome;
  return reply
    .code(publication.status === "error" && !outcome.known ? 500 : 200)
    .header("content-type", JSON_TYPE)
    .send(JSON.stringify({ status: publication.status, failed: publication.failed }));
}
