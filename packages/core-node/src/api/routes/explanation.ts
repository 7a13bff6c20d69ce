import { stringifyJson } from "@twentysix/protocol";
import type { FastifyInstance } from "fastify";
import { isAnyItemHash } from "../any-item-hash.ts";
import type { ApiContext } from "../context.ts";
import { ApiError } from "../errors.ts";
import { explainMessage } from "../explanations/explain-message.ts";
import { EXPLANATION } from "../explanations/explanation.ts";
import { disconnectSignal } from "../http/disconnect.ts";
import { sendJson } from "../http/json-reply.ts";
import { addPlainGet, pathValue } from "../http/route.ts";

/** Why a message was accepted, refused, billed or removed. */
export function addExplanationRoute(api: FastifyInstance, { services }: ApiContext): void {
  addPlainGet(
    api,
    "/api/v1/messages/:item_hash/explanation",
    {
      cost: "point",
      tag: "Messages",
      summary: "Why a message stands as it does: rule, inputs, arithmetic, and what would change it",
      response: EXPLANATION,
      refusals: ["API_NOT_FOUND"],
    },
    async (request, reply) => {
      const itemHash = pathValue(request, "item_hash");
      const view = isAnyItemHash(itemHash) ? await services.reads.messageView(itemHash) : null;
      if (view === null) throw new ApiError("API_NOT_FOUND", "404: no message of that hash is known here");
      const { ledger, reads, downloads } = services;
      const sources = { ledger, reads, downloads, signal: disconnectSignal(reply) };
      return sendJson(request, reply, stringifyJson(await explainMessage(view, sources)));
    },
  );
}
