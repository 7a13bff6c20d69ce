import type { Connection } from "../connection.ts";
import { getObject } from "../http/answer-json.ts";
import { type Page, type PageParameters, pageQuery, readPage } from "../http/page.ts";
import { type PostFilter, postQuery } from "./post-filter.ts";
import { type PostObject, readPostObject } from "./post-object.ts";

export interface ListPostsParameters extends PostFilter, PageParameters {}

/**
 * One page of posts, the last updated first unless told otherwise. Amends are applied and never listed.
 *
 * Errors: SDK_INVALID_INPUT, SDK_BAD_ANSWER and those of `request`.
 *
 * @example
 * const { items } = await listPosts(connection, { types: ["note"], owners: [account.address] });
 */
export async function listPosts(
  connection: Connection,
  parameters: ListPostsParameters,
): Promise<Page<PostObject>> {
  const query = postQuery(parameters, pageQuery(parameters));
  const { signal } = parameters;
  const answer = await getObject(connection, { path: "/api/v1/posts.json", query, signal });
  return readPage(answer, "posts", readPostObject);
}
