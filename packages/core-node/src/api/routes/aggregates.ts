import { createHash } from "node:crypto";
import { formatIsoOffset } from "@twentysix/protocol";
import type { AggregateEntry } from "@twentysix/storage";
import type { FastifyInstance, FastifyReply } from "fastify";
import { AggregateCache } from "../aggregate-cache.ts";
import type { ApiContext } from "../context.ts";
import { isUnchanged, sendUnchanged } from "../http/conditional.ts";
import { JSON_TYPE, negotiateEncoding } from "../http/json-reply.ts";
import { addGet, type Call, pathValue } from "../http/route.ts";
import { sendProblems, sendRefusal } from "../http/send-error.ts";
import { sendList } from "../http/send-list.ts";
import { listMode, paginationParameters } from "../query/pagination.ts";
import { choice, flag, integer, textList } from "../query/parameter.ts";
import { directionOf, SORT_ORDER } from "../query/sorting.ts";

const CACHE_BYTES = 32 * 1024 * 1024;

const AGGREGATE_PARAMETERS = {
  keys: textList(["keys"]),
  limit: integer(["limit"], 1000),
  withInfo: flag(["with_info", "withInfo"]),
  valueOnly: flag(["value_only", "valueOnly"]),
} as const;
type AggregateCall = Call<typeof AGGREGATE_PARAMETERS>;

const LIST_PARAMETERS = {
  keys: textList(["keys"]),
  addresses: textList(["addresses"]),
  sortBy: choice(["sortBy", "sort_by"], ["last_modified", "creation_time"], "last_modified"),
  sortOrder: SORT_ORDER,
  ...paginationParameters(20, { minimum: 1, maximum: 500 }),
} as const;

const SHAPE = { key: "aggregates", items: "array", itemName: "aggregates", leading: "" } as const;

export function addAggregateRoutes(api: FastifyInstance, context: ApiContext): void {
  const cache = new AggregateCache(CACHE_BYTES);
  addGet(
    api,
    "/api/v0/aggregates/:address.json",
    {
      cost: "point",
      tag: "Aggregates",
      summary: "The aggregates of an address by key",
      query: AGGREGATE_PARAMETERS,
    },
    (call) => answerAggregates(call, cache, context),
  );
  for (const path of ["/api/v0/aggregates", "/api/v0/aggregates.json"]) {
    const options = {
      cost: "list" as const,
      tag: "Aggregates",
      summary: "Aggregates of all addresses",
      query: LIST_PARAMETERS,
    };
    addGet(api, path, options, (call) => {
      const { query, reply } = call;
      const asked = listMode(query);
      if (!asked.ok) return sendProblems(reply, asked.problems);
      return sendList(call, asked.mode, SHAPE, context.services.lists.aggregates, {
        ...(query.keys === null ? {} : { keys: query.keys }),
        ...(query.addresses === null ? {} : { owners: query.addresses }),
        sortBy: query.sortBy,
        direction: directionOf(query.sortOrder),
      });
    });
  }
}

async function answerAggregates(
  { request, reply, query }: AggregateCall,
  cache: AggregateCache,
  { services }: ApiContext,
): Promise<FastifyReply> {
  const address = pathValue(request, "address");
  const { keys, withInfo, valueOnly } = query;
  const versions = services.reads.aggregateVersions(address, keys);
  if (versions.length === 0) {
    return sendRefusal(reply, "API_NOT_FOUND", "404: Not Found. No aggregate of this address has such a key");
  }
  const version = digest(versions.map(({ key, version }) => [key, version]));
  const shape = digest([address, keys, withInfo, valueOnly]);
  const etag = `W/"${shape}${version}"`;
  reply.header("etag", etag).header("cache-control", "no-cache").header("vary", "Origin, Accept-Encoding");
  if (isUnchanged(request, etag)) return sendUnchanged(reply);
  const { body, encoding } = await cache.body(shape, version, negotiateEncoding(request), () => {
    const entries = services.reads.aggregates(address, keys);
    const [only] = entries;
    return valueOnly && keys?.length === 1 && only !== undefined
      ? only.contentJson
      : aggregatesBody(address, entries, withInfo);
  });
  if (encoding !== null) reply.header("content-encoding", encoding);
  return reply.header("content-type", JSON_TYPE).send(body);
}

function aggregatesBody(address: string, entries: readonly AggregateEntry[], withInfo: boolean): string {
  const data = entries.map(({ key, contentJson }) => `${JSON.stringify(key)}:${contentJson}`).join(",");
  const info = withInfo
    ? entries.map((entry) => `${JSON.stringify(entry.key)}:${infoOf(entry)}`).join(",")
    : "";
  return `{"address":${JSON.stringify(address)},"data":{${data}},"info":{${info}}}`;
}

/** `original_item_hash` is the last revision despite its name: clients know it so. */
function infoOf(entry: AggregateEntry): string {
  return JSON.stringify({
    created: formatIsoOffset(entry.createdMicros),
    last_updated: formatIsoOffset(entry.updatedMicros),
    original_item_hash: entry.lastItemHash,
    last_update_item_hash: entry.lastItemHash,
    first_item_hash: entry.firstItemHash,
  });
}

function digest(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("base64url").slice(0, 16);
}
