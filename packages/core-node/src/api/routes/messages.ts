import { Type } from "@sinclair/typebox";
import { formatIsoZ } from "@twentysix/protocol";
import { type EventView, type ItemText, renderMessageView } from "@twentysix/storage";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { isAnyItemHash } from "../any-item-hash.ts";
import type { ApiContext } from "../context.ts";
import { ApiError } from "../errors.ts";
import { isUnchanged, sendUnchanged } from "../http/conditional.ts";
import { disconnectSignal } from "../http/disconnect.ts";
import { sendJson } from "../http/json-reply.ts";
import { sendJsonStream } from "../http/json-stream.ts";
import { addPlainGet, pathValue } from "../http/route.ts";
import { sendRefusal } from "../http/send-error.ts";
import { renderStatus } from "../render-status.ts";
import { MESSAGE_EVENTS, MESSAGE_STATUS, MESSAGE_WITH_STATUS } from "../schemas/message.ts";

/** One message by its hash. A malformed hash names no message: 404, like an unknown one. */
export function addMessageRoutes(api: FastifyInstance, { services: { reads, lists } }: ApiContext): void {
  const sendText = (request: FastifyRequest, reply: FastifyReply, text: ItemText) =>
    typeof text === "string"
      ? sendJson(request, reply, text)
      : sendJsonStream(request, reply, lists.pieces(text, { signal: disconnectSignal(reply) }));
  const describe = (summary: string) => ({ cost: "point" as const, tag: "Messages", summary });

  addPlainGet(
    api,
    "/api/v0/messages/:item_hash",
    {
      ...describe("One message, whatever its status"),
      response: MESSAGE_WITH_STATUS,
      refusals: ["API_NOT_FOUND", "API_GONE"],
    },
    async (request, reply) => {
      const itemHash = pathValue(request, "item_hash");
      const view = isAnyItemHash(itemHash) ? await reads.messageView(itemHash) : null;
      if (view === null) return notFound(reply);
      const body = renderMessageView(view);
      if (body === null)
        return sendRefusal(reply, "API_GONE", "410: the message was removed and nothing of it is left");
      return sendText(request, reply, body);
    },
  );

  addPlainGet(
    api,
    "/api/v0/messages/:item_hash/status",
    { ...describe("Status of a message"), response: MESSAGE_STATUS, refusals: ["API_NOT_FOUND"] },
    async (request, reply) => {
      const itemHash = pathValue(request, "item_hash");
      const status = isAnyItemHash(itemHash) ? await reads.statusOf(itemHash) : null;
      return status === null ? notFound(reply) : sendJson(request, reply, renderStatus(status));
    },
  );

  addPlainGet(
    api,
    "/api/v0/messages/:item_hash/content",
    {
      ...describe("Content of a message"),
      response: Type.Record(Type.String(), Type.Unknown()),
      refusals: ["API_NOT_FOUND", "API_GONE", "API_UNPROCESSABLE"],
    },
    async (request, reply) => {
      const itemHash = pathValue(request, "item_hash");
      const content = isAnyItemHash(itemHash) ? await reads.contentJson(itemHash) : null;
      if (content === null) return notFound(reply);
      if (content.json === null) throw withoutContent(content.status);
      const etag = `W/"${itemHash}"`;
      // The content never changes, but the message can be forgotten: it must be asked for again.
      reply.header("etag", etag).header("cache-control", "no-cache");
      return isUnchanged(request, etag) ? sendUnchanged(reply) : sendText(request, reply, content.json);
    },
  );

  addPlainGet(
    api,
    "/api/v0/messages/:item_hash/events",
    {
      ...describe("What happened to a message on this node, and why"),
      response: MESSAGE_EVENTS,
      refusals: ["API_NOT_FOUND"],
    },
    async (request, reply) => {
      const itemHash = pathValue(request, "item_hash");
      const status = isAnyItemHash(itemHash) ? await reads.statusOf(itemHash) : null;
      if (status === null) return notFound(reply);
      const events = (await reads.eventsOf(itemHash)).map(eventBody);
      const body = `{"item_hash":"${itemHash}","status":"${status.status}","events":[${events.join(",")}]}`;
      return sendJson(request, reply, body);
    },
  );
}

function notFound(reply: FastifyReply): FastifyReply {
  return sendRefusal(reply, "API_NOT_FOUND", "404: Not Found. This node knows no such message");
}

function withoutContent(status: string): ApiError {
  return status === "removed"
    ? new ApiError("API_GONE", "410: the message was removed and its content with it")
    : new ApiError(
        "API_UNPROCESSABLE",
        `422: the message is ${status}: only processed messages have a content here`,
        {
          status,
        },
      );
}

function eventBody({ seq, kind, atMicros, cause }: EventView): string {
  return `{"seq":${seq},"kind":"${kind}","at":"${formatIsoZ(atMicros)}","cause":${cause ?? "null"}}`;
}
