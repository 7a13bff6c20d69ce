import { Type } from "@sinclair/typebox";
import type { AddressStats } from "@twentysix/storage";
import type { FastifyInstance, FastifyReply } from "fastify";
import type { ApiContext } from "../context.ts";
import { disconnectSignal } from "../http/disconnect.ts";
import { sendJson } from "../http/json-reply.ts";
import { sendJsonStream } from "../http/json-stream.ts";
import { joinedItems } from "../http/list-body.ts";
import { addGet, addPlainGet, type Call, pathValue, queryTextOf } from "../http/route.ts";
import { sendProblems } from "../http/send-error.ts";
import { sendList } from "../http/send-list.ts";
import { listMode, paginationParameters } from "../query/pagination.ts";
import { choice, text } from "../query/parameter.ts";
import { directionOf, SORT_ORDER } from "../query/sorting.ts";
import {
  ADDRESS_CHANNELS,
  ADDRESS_FILES,
  ADDRESS_STATS,
  ADDRESS_STATS_PAGE,
  POST_TYPES,
} from "../schemas/address.ts";

const FILES_PARAMETERS = {
  fileHash: text(["file_hash", "fileHash"]),
  sortOrder: SORT_ORDER,
  /** Ours: an empty list instead of a 404. */
  empty: choice(["empty"], ["404", "200"], "404"),
  ...paginationParameters(100, { minimum: 0 }),
} as const;

const STATS_PARAMETERS = {
  addressContains: text(["addressContains", "address_contains"], 66),
  sortBy: choice(
    ["sortBy", "sort_by"],
    ["total", "post", "aggregate", "store", "forget", "program", "instance"],
    "total",
  ),
  sortOrder: SORT_ORDER,
  ...paginationParameters(20, { minimum: 0 }),
} as const;

/** The one list that is given by repeating its name. */
const REPEATED_ADDRESSES = Type.Object(
  {
    "addresses[]": Type.Optional(
      Type.Array(Type.String(), { description: "Once for each address; all addresses when absent." }),
    ),
  },
  { style: "form", explode: true },
);

const STATS_SHAPE = { key: "data", items: "object", itemName: "addresses", leading: "" } as const;

/** What the node knows of an address. */
export function addAddressRoutes(api: FastifyInstance, context: ApiContext): void {
  const { reads, lists } = context.services;
  const describe = (summary: string) => ({ tag: "Addresses", summary });

  addGet(
    api,
    "/api/v0/addresses/:address/files",
    {
      ...describe("Files that an address stores"),
      cost: "list",
      query: FILES_PARAMETERS,
      response: ADDRESS_FILES,
      refusals: ["API_NOT_FOUND"],
    },
    (call) => answerFiles(call, context),
  );
  addPlainGet(
    api,
    "/api/v0/addresses/:address/post_types",
    { ...describe("Types of the posts that an address sent"), cost: "point", response: POST_TYPES },
    async (request, reply) => {
      const address = pathValue(request, "address");
      const types = await reads.postTypesOf(address);
      return sendJson(request, reply, JSON.stringify({ address, post_types: types }));
    },
  );
  addPlainGet(
    api,
    "/api/v0/addresses/:address/channels",
    { ...describe("Channels in which an address sent"), cost: "point", response: ADDRESS_CHANNELS },
    async (request, reply) => {
      const address = pathValue(request, "address");
      const channels = await reads.channelsOf(address);
      return sendJson(request, reply, JSON.stringify({ address, channels }));
    },
  );
  addPlainGet(
    api,
    "/api/v0/addresses/stats.json",
    {
      ...describe("Message counts of addresses"),
      cost: "list",
      query: REPEATED_ADDRESSES,
      response: ADDRESS_STATS,
    },
    async (request, reply) => {
      const given = new URLSearchParams(queryTextOf(request));
      const addresses = given.getAll("addresses[]");
      if (addresses.length > 0) {
        const members = (await reads.statsOf([...new Set(addresses)])).map(statsMember);
        return sendJson(request, reply, `{"data":{${members.join(",")}}}`);
      }
      return answerAllStats({ request, reply }, context);
    },
  );
  addGet(
    api,
    "/api/v1/addresses/stats.json",
    {
      ...describe("Message counts of addresses, searched and sorted"),
      cost: "list",
      query: STATS_PARAMETERS,
      response: ADDRESS_STATS_PAGE,
    },
    (call) => {
      const { query, reply } = call;
      const asked = listMode(query);
      if (!asked.ok) return sendProblems(reply, asked.problems);
      return sendList(call, asked.mode, STATS_SHAPE, lists, "addressStats", {
        ...(query.addressContains === null ? {} : { contains: query.addressContains }),
        sortBy: query.sortBy,
        direction: directionOf(query.sortOrder),
      });
    },
  );
}

async function answerFiles(
  call: Call<typeof FILES_PARAMETERS>,
  { services: { lists } }: ApiContext,
): Promise<FastifyReply> {
  const { request, reply, query } = call;
  const asked = listMode(query);
  if (!asked.ok) return sendProblems(reply, asked.problems);
  const address = pathValue(request, "address");
  const totalSizeBytes = await lists.accountFilesSize(address, { signal: disconnectSignal(reply) });
  const shape = {
    key: "files",
    items: "array" as const,
    itemName: null,
    leading: `"address":${JSON.stringify(address)},"total_size":${totalSizeBytes},`,
    ...(query.empty === "200" ? {} : { emptyRefusal: "404: Not Found. This address stores no such file" }),
  };
  return sendList(call, asked.mode, shape, lists, "accountFiles", {
    address,
    ...(query.fileHash === null ? {} : { fileHash: query.fileHash }),
    direction: directionOf(query.sortOrder),
    // Released clients need a number in cursor mode and a text in page mode.
    createdAs: asked.mode.kind === "cursor" ? "seconds" : "iso",
  });
}

/** Exactly these seven counts: clients refuse others. V-PROGRAMs count in `messages` alone. */
function statsMember({ address, messages, byType }: AddressStats): string {
  const counts = {
    messages,
    aggregate: byType.AGGREGATE,
    forget: byType.FORGET,
    instance: byType.INSTANCE,
    post: byType.POST,
    program: byType.PROGRAM,
    store: byType.STORE,
  };
  return `${JSON.stringify(address)}:${JSON.stringify(counts)}`;
}

function answerAllStats(
  { request, reply }: Pick<Call, "request" | "reply">,
  { services: { lists } }: ApiContext,
): Promise<FastifyReply> {
  const signal = disconnectSignal(reply);
  const members = lists.addressStats.stream({ sortBy: "total", direction: "desc" }, { signal });
  const pieces = joinedItems('{"data":{', members, "}}", (text) => lists.pieces(text, { signal }));
  return sendJsonStream(request, reply, pieces);
}
