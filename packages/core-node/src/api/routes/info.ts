import { Type } from "@sinclair/typebox";
import type { FastifyInstance } from "fastify";
import type { ApiContext } from "../context.ts";
import { disconnectSignal } from "../http/disconnect.ts";
import { sendJson } from "../http/json-reply.ts";
import { sendJsonStream } from "../http/json-stream.ts";
import { joinedItems } from "../http/list-body.ts";
import { addGet, addPlainGet } from "../http/route.ts";
import { directionOf, SORT_ORDER } from "../query/sorting.ts";
import { CHANNELS, PROGRAMS_ON_MESSAGE, PUBLIC_INFO } from "../schemas/node.ts";
import type { NodeDescription } from "../services.ts";

/** The addresses as the network knows them, and how far this node is with what its peers have. */
function publicInfo(node: NodeDescription): Record<string, unknown> {
  const sync = node.sync?.();
  return {
    node_multi_addresses: node.multiAddresses(),
    ...(sync === undefined
      ? {}
      : { sync: { state: sync.state, percent: sync.percent, seconds_left: sync.secondsLeft } }),
  };
}

const VERSION = Type.Object({ version: Type.String() });

/** What the node says of itself, and two lists over all messages. */
export function addInfoRoutes(api: FastifyInstance, { services }: ApiContext): void {
  const { node, lists } = services;
  for (const path of ["/version", "/api/v0/version"]) {
    addPlainGet(
      api,
      path,
      { cost: "free", tag: "Node", summary: "Version of this node", response: VERSION },
      (request, reply) => sendJson(request, reply, JSON.stringify({ version: node.version })),
    );
  }
  addPlainGet(
    api,
    "/api/v0/info/public.json",
    { cost: "free", tag: "Node", summary: "Where this node is reached by its peers", response: PUBLIC_INFO },
    (request, reply) => sendJson(request, reply, JSON.stringify(publicInfo(node))),
  );
  addPlainGet(
    api,
    "/api/v0/channels/list.json",
    { cost: "list", tag: "Node", summary: "All channels", response: CHANNELS },
    async (request, reply) => {
      const signal = disconnectSignal(reply);
      const pieces = joinedItems('{"channels":[', lists.channels({ signal }), "]}", (text) =>
        lists.pieces(text, { signal }),
      );
      return sendJsonStream(request, reply, pieces);
    },
  );
  addGet(
    api,
    "/api/v0/programs/on/message",
    {
      cost: "list",
      tag: "Node",
      summary: "Programs that react to messages",
      query: { sortOrder: SORT_ORDER },
      response: PROGRAMS_ON_MESSAGE,
    },
    async ({ request, reply, query }) => {
      const signal = disconnectSignal(reply);
      const programs = lists.programsOnMessage(directionOf(query.sortOrder), { signal });
      const pieces = joinedItems("[", programs, "]", (text) => lists.pieces(text, { signal }));
      return sendJsonStream(request, reply, pieces);
    },
  );
}
