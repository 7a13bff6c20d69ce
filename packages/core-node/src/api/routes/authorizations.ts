import { CHAINS, MESSAGE_TYPES } from "@twentysix/protocol";
import type { AuthorizationFilter, AuthorizationsOfAddress } from "@twentysix/storage";
import type { FastifyInstance, FastifyReply } from "fastify";
import type { ApiContext } from "../context.ts";
import { disconnectSignal } from "../http/disconnect.ts";
import { sendJson } from "../http/json-reply.ts";
import { pageBody } from "../http/list-body.ts";
import { addGet, type Call, pathValue } from "../http/route.ts";
import { choiceList, integer, type Parameter, text, textList } from "../query/parameter.ts";

function parameters<Names extends readonly [string, ...string[]]>(other: Names) {
  return {
    other: text(other),
    types: choiceList(["types"], MESSAGE_TYPES, null),
    channels: textList(["channels"]),
    chains: choiceList(["chains"], CHAINS, null),
    postTypes: textList(["postTypes", "post_types"]),
    aggregateKeys: textList(["aggregateKeys", "aggregate_keys"]),
    pagination: integer(["pagination"], 20, { minimum: 1, maximum: 500 }),
    page: integer(["page"], 1, { minimum: 1 }) as Parameter<number>,
  } as const;
}

type AuthorizationCall = Call<ReturnType<typeof parameters>>;

/** What an address lets others do in its name, and what others let it do. */
export function addAuthorizationRoutes(api: FastifyInstance, { services }: ApiContext): void {
  addGet(
    api,
    "/api/v0/authorizations/granted/:address.json",
    {
      cost: "list",
      tag: "Authorizations",
      summary: "Authorizations that an address gave",
      query: parameters(["grantee"]),
    },
    (call) => {
      const address = pathValue(call.request, "address");
      return answer(call, address, services.reads.authorizationsGranted(address, filterOf(call)));
    },
  );
  addGet(
    api,
    "/api/v0/authorizations/received/:address.json",
    {
      cost: "list",
      tag: "Authorizations",
      summary: "Authorizations that an address was given",
      query: parameters(["granter"]),
    },
    async (call) => {
      const address = pathValue(call.request, "address");
      const signal = disconnectSignal(call.reply);
      const received = await services.lists.authorizationsReceived(address, filterOf(call), { signal });
      return answer(call, address, received);
    },
  );
}

function filterOf({ query }: AuthorizationCall): AuthorizationFilter {
  return {
    ...(query.other === null ? {} : { other: query.other }),
    ...(query.types === null ? {} : { types: query.types }),
    ...(query.channels === null ? {} : { channels: query.channels }),
    ...(query.chains === null ? {} : { chains: query.chains }),
    ...(query.postTypes === null ? {} : { postTypes: query.postTypes }),
    ...(query.aggregateKeys === null ? {} : { aggregateKeys: query.aggregateKeys }),
  };
}

function answer(
  { request, reply, query }: AuthorizationCall,
  address: string,
  all: readonly AuthorizationsOfAddress[],
): FastifyReply | Promise<FastifyReply> {
  const { page, pagination: pageSize } = query;
  const members = all
    .slice((page - 1) * pageSize, page * pageSize)
    .map((entry) => `${JSON.stringify(entry.address)}:[${entry.entriesJson.join(",")}]`);
  const shape = {
    key: "authorizations",
    items: "object" as const,
    itemName: "authorizations",
    leading: `"address":${JSON.stringify(address)},`,
  };
  return sendJson(request, reply, pageBody(shape, members, { page, pageSize, total: all.length }));
}
