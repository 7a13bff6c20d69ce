import { Type } from "@sinclair/typebox";
import { type FormatProblem, paymentTypeOf } from "@twentysix/protocol";
import { type BilledMessage, decodeCostLines } from "@twentysix/storage";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { isAnyItemHash } from "../any-item-hash.ts";
import type { ApiContext } from "../context.ts";
import { estimateCost, goneStoreCost } from "../economy/estimate.ts";
import { readEstimateContent } from "../economy/estimate-content.ts";
import { readEstimateMessage } from "../economy/estimate-message.ts";
import { PRICE, type Priced, priceBody } from "../economy/price-answer.ts";
import { assertPriced } from "../economy/price-status.ts";
import { ApiError } from "../errors.ts";
import { disconnectSignal } from "../http/disconnect.ts";
import { readJsonBody, requireObject } from "../http/json-body.ts";
import { sendJson } from "../http/json-reply.ts";
import { addGet, addPost, pathValue } from "../http/route.ts";
import { sendProblems } from "../http/send-error.ts";
import { text } from "../query/parameter.ts";

/** Any text but `true` means no. */
const PARAMETERS = { includeSize: text(["include_size", "includeSize"]) } as const;

const MESSAGE = Type.Object({
  message: Type.Object(
    { type: Type.String(), item_hash: Type.String(), item_content: Type.Optional(Type.String()) },
    { description: "An envelope; it need not be signed.", additionalProperties: true },
  ),
});
const INSTANCE_CONTENT = Type.Object({}, { additionalProperties: true });

const ESTIMATE = {
  cost: "point",
  tag: "Prices",
  response: PRICE,
  refusals: ["API_NOT_FOUND", "API_BODY_TIMEOUT", "API_BODY_TOO_LARGE", "API_UNPROCESSABLE"],
} as const;

/** What messages cost. Source: pyaleph `src/aleph/web/controllers/prices.py`. */
export function addPriceRoutes(api: FastifyInstance, context: ApiContext): void {
  addGet(
    api,
    "/api/v0/price/:item_hash",
    {
      cost: "point",
      tag: "Prices",
      summary: "What a message costs, as computed when it was accepted",
      query: PARAMETERS,
      response: PRICE,
      refusals: ["API_INVALID_HASH", "API_BAD_REQUEST", "API_NOT_FOUND", "API_MESSAGE_PENDING", "API_GONE"],
    },
    async ({ request, reply, query }) => {
      const priced = await priceOf(pathValue(request, "item_hash"), context);
      return sendJson(request, reply, priceBody(priced, query.includeSize?.toLowerCase() === "true"));
    },
  );
  addPost(
    api,
    "/api/v0/price/estimate",
    {
      ...ESTIMATE,
      summary: "What a message would cost by the prices in force",
      body: { "application/json": MESSAGE },
      refusals: [...ESTIMATE.refusals, "API_CONTENT_UNAVAILABLE"],
    },
    (request, reply) => estimateMessage(request, reply, context),
  );
  addPost(
    api,
    "/api/v0/price/estimate/instance",
    {
      ...ESTIMATE,
      summary: "What an instance would cost by the prices in force",
      body: { "application/json": INSTANCE_CONTENT },
      refusals: [...ESTIMATE.refusals, "API_BAD_REQUEST"],
    },
    (request, reply) => estimateInstance(request, reply, context),
  );
}

async function priceOf(itemHash: string, { services }: ApiContext): Promise<Priced> {
  if (!isAnyItemHash(itemHash)) {
    const shown = itemHash.slice(0, 100);
    throw new ApiError("API_INVALID_HASH", `400: Invalid message hash: ${shown} is not an item hash`);
  }
  const message = await services.reads.billedMessage(itemHash);
  if (message?.status === "forgotten" || message?.status === "removed") {
    const { type, owner, sizeBytes } = message;
    if (type === "STORE" && owner !== null && sizeBytes !== null && sizeBytes > 0n) {
      const paymentType = paymentTypeOf({ type: message.paymentType ?? "hold" });
      return goneStoreCost(itemHash, { owner, sizeBytes, paymentType }, services.economy);
    }
    throw new ApiError("API_GONE", `410: the message is ${message.status} and its price with it`);
  }
  return priceOfLive(itemHash, assertPriced(message), services.economy);
}

const NOTHING = { holdAtto: 0n, streamAttoPerSecond: 0n, creditAttoPerSecond: 0n };

async function priceOfLive(
  itemHash: string,
  { cost, owner, paymentType }: BilledMessage,
  { pricesInForce }: ApiContext["services"]["economy"],
): Promise<Priced> {
  const common = { owner: owner ?? "" };
  // Accepted before costs were kept: nothing was billed.
  if (cost === null) {
    const { hash: priceListHash } = await pricesInForce();
    const payment = paymentTypeOf(paymentType === null ? null : { type: paymentType });
    return { ...common, paymentType: payment, lines: [], total: NOTHING, priceListHash };
  }
  const { linesText, ...rest } = cost;
  return { ...common, ...rest, lines: decodeCostLines(itemHash, linesText), total: cost };
}

async function estimateMessage(
  request: FastifyRequest,
  reply: FastifyReply,
  context: ApiContext,
): Promise<FastifyReply> {
  const { services } = context;
  const body = requireObject(await readJsonBody(request, reply, context));
  if (!body.ok) return sendProblems(reply, body.problems);
  const read = await readEstimateMessage(body.value, services, () => disconnectSignal(reply));
  if (!read.ok) return sendProblems(reply, read.problems);
  const { type, itemHash, content } = read.message;
  const estimate = readEstimateContent(type, content, services.economy.switches);
  if (!estimate.ok)
    return sendProblems(
      reply,
      estimate.problems.map((problem) => under("message", problem)),
    );
  const priced = await estimateCost(itemHash, estimate.content, services.economy, services.reads);
  return sendJson(request, reply, priceBody(priced, true));
}

/** What the message of an estimate is called that has none. */
const NO_HASH = "estimate";

async function estimateInstance(
  request: FastifyRequest,
  reply: FastifyReply,
  context: ApiContext,
): Promise<FastifyReply> {
  const { economy, reads } = context.services;
  const json = await readJsonBody(request, reply, context);
  if (!json.ok) throw new ApiError("API_BAD_REQUEST", `400: ${json.problems[0]?.msg ?? "Invalid JSON"}`);
  const body = requireObject(json);
  if (!body.ok) return sendProblems(reply, body.problems);
  const estimate = readEstimateContent("INSTANCE", body.value, economy.switches);
  if (!estimate.ok)
    return sendProblems(
      reply,
      estimate.problems.map((problem) => under(null, problem)),
    );
  const priced = await estimateCost(NO_HASH, estimate.content, economy, reads);
  return sendJson(request, reply, priceBody(priced, true));
}

/** A problem of a content, told from where it lies in the body. */
function under(parent: string | null, { type, loc, msg, input = null }: FormatProblem) {
  return { type, loc: parent === null ? loc.slice(1) : [parent, ...loc], msg, input };
}
