import { CHAINS, MESSAGE_TYPES } from "@twentysix/protocol";
import type { AuthorizationFilter, AuthorizationsQuery } from "@twentysix/storage";
import type { FastifyInstance, FastifyReply } from "fastify";
import type { ApiContext } from "../context.ts";
import { disconnectSignal } from "../http/disconnect.ts";
import { sendJson } from "../http/json-reply.ts";
import { listBody, pageFigures } from "../http/list-body.ts";
import { addGet, type Call, pathValue } from "../http/route.ts";
import { choiceList, integer, type Parameter, text, textList } from "../query/parameter.ts";
import { AUTHORIZATIONS } from "../schemas/address.ts";

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
export function addAuthorizationRoutes(api: FastifyInstance, context: ApiContext): void {
  const describe = (summary: string) => ({
    cost: "list" as const,
    tag: "Authorizations",
    summary,
    response: AUTHORIZATIONS,
  });
  addGet(
    api,
    "/api/v0/authorizations/granted/:address.json",
    { ...describe("Authorizations that an address gave"), query: parameters(["grantee"]) },
    (call) => answer(call, "granted", context),
  );
  addGet(
    api,
    "/api/v0/authorizations/received/:address.json",
    { ...describe("Authorizations that an address was given"), query: parameters(["granter"]) },
    (call) => answer(call, "received", context),
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

async function answer(
  call: AuthorizationCall,
  kind: AuthorizationsQuery["kind"],
  { services }: ApiContext,
): Promise<FastifyReply> {
  const { request, reply, query } = call;
  const address = pathValue(request, "address");
  const { page, pagination: pageSize } = query;
  const { authorizations, total } = await services.lists.authorizations(
    { kind, address, filter: filterOf(call) },
    { page, pageSize },
    { signal: disconnectSignal(reply) },
  );
  const members = authorizations.map(
    (entry) => `${JSON.stringify(entry.address)}:[${entry.entriesJson.join(",")}]`,
  );
  const shape = {
    key: "authorizations",
    items: "object" as const,
    itemName: "authorizations",
    leading: `"address":${JSON.stringify(address)},`,
  };
  return sendJson(request, reply, listBody(shape, members, pageFigures(shape, { page, pageSize, total })));
}
