import type { Connection } from "../connection.ts";
import { getObject } from "../http/answer-json.ts";
import { type IterateParameters, iterateCursor } from "../http/page.ts";
import { type PostFilter, postQuery } from "./post-filter.ts";
import { type PostObject, readPostObject } from "./post-object.ts";

export interface IteratePostsParameters extends Omit<PostFilter, "sortBy">, IterateParameters {}

/**
 * All posts of a filter, fetched as the consumer goes on. Leave the loop to stop.
 *
 * Errors: SDK_INVALID_INPUT, SDK_BAD_ANSWER and those of `request`; the reason of an aborted signal.
 *
 * @example
 * for await (const post of iteratePosts(connection, { channels: ["TEST"] })) show(post.content);
 */
export function iteratePosts(
  connection: Connection,
  parameters: IteratePostsParameters,
): AsyncGenerator<PostObject, void, undefined> {
  const { signal } = parameters;
  return iterateCursor(
    parameters,
    "posts",
    (cursor) =>
      getObject(connection, { path: "/api/v1/posts.json", query: postQuery(parameters, cursor), signal }),
    readPostObject,
  );
}
