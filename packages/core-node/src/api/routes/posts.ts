import type { PostsQuery } from "@twentysix/storage";
import type { FastifyInstance, FastifyReply } from "fastify";
import type { ApiContext } from "../context.ts";
import { pageOfPath } from "../http/path-page.ts";
import { addGet, type Call } from "../http/route.ts";
import { sendProblems } from "../http/send-error.ts";
import { sendList } from "../http/send-list.ts";
import { itemHashList } from "../query/item-hash-list.ts";
import { listMode, paginationParameters } from "../query/pagination.ts";
import { choice, decimal, textList } from "../query/parameter.ts";
import { reversedRange } from "../query/ranges.ts";
import { directionOf, SORT_ORDER } from "../query/sorting.ts";
import { microsOfSeconds } from "../query/times.ts";
import { listSchema } from "../schemas/list.ts";
import { POST_OF_VERSION } from "../schemas/post.ts";

const PARAMETERS = {
  addresses: textList(["addresses"]),
  hashes: itemHashList(["hashes"]),
  refs: textList(["refs"]),
  types: textList(["types", "post_types", "postTypes"]),
  tags: textList(["tags"]),
  channels: textList(["channels"]),
  startDate: decimal(["startDate", "start_date"], 0, { minimum: 0 }),
  endDate: decimal(["endDate", "end_date"], 0, { minimum: 0 }),
  sortBy: choice(["sortBy", "sort_by"], ["time", "tx-time"], "time"),
  sortOrder: SORT_ORDER,
  ...paginationParameters(20, { minimum: 0 }),
} as const;
type PostsCall = Call<typeof PARAMETERS>;

const SHAPE = { key: "posts", items: "array", itemName: "posts", leading: "" } as const;

/** `/api/v0/posts.json` and `/api/v1/posts.json`: posts merged with their latest amend. */
export function addPostRoutes(api: FastifyInstance, context: ApiContext): void {
  for (const version of [0, 1] as const) {
    const options = {
      cost: "list" as const,
      tag: "Posts",
      summary: `Posts with their latest revision (items of version ${version})`,
      query: PARAMETERS,
      response: listSchema("posts", POST_OF_VERSION[version]),
    };
    addGet(api, `/api/v${version}/posts.json`, options, (call) =>
      answerPosts(call, version, call.query.page, context),
    );
    addGet(api, `/api/v${version}/posts/page/:page.json`, options, (call) => {
      const asked = pageOfPath(call.request);
      return "problem" in asked
        ? sendProblems(call.reply, [asked.problem])
        : answerPosts(call, version, asked.page, context);
    });
  }
}

function answerPosts(
  call: PostsCall,
  version: 0 | 1,
  page: number,
  { services }: ApiContext,
): FastifyReply | Promise<FastifyReply> {
  const { query, reply } = call;
  const problems = reversedRange(
    { name: "startDate", value: query.startDate },
    { name: "endDate", value: query.endDate },
  );
  if (problems.length > 0) return sendProblems(reply, problems);
  const asked = listMode({ ...query, page });
  if (!asked.ok) return sendProblems(reply, asked.problems);
  return sendList(call, asked.mode, SHAPE, services.lists, "posts", postsQuery(call, version));
}

function postsQuery({ query }: PostsCall, version: 0 | 1): PostsQuery {
  const startMicros = microsOfSeconds(query.startDate);
  const endMicros = microsOfSeconds(query.endDate);
  return {
    version,
    ...(query.addresses === null ? {} : { owners: query.addresses }),
    ...(query.hashes === null ? {} : { itemHashes: query.hashes }),
    ...(query.refs === null ? {} : { refs: query.refs }),
    ...(query.types === null ? {} : { types: query.types }),
    ...(query.tags === null ? {} : { tags: query.tags }),
    ...(query.channels === null ? {} : { channels: query.channels }),
    ...(startMicros === undefined ? {} : { startMicros }),
    ...(endMicros === undefined ? {} : { endMicros }),
    sortBy: query.sortBy === "tx-time" ? "confirmation" : "time",
    direction: directionOf(query.sortOrder),
  };
}
