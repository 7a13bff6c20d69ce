import { type JsonValue, memberOf } from "@twentysix/protocol";
import type { AnswerObject } from "../http/answer-json.ts";

/** A post with its newest amend applied, with the keys of the wire. Source: pyaleph `src/aleph/db/accessors/posts.py`. */
export interface PostObject {
  /** Of the newest revision. */
  readonly item_hash: string;
  /** Of the post itself; amends refer to it. */
  readonly original_item_hash: string;
  readonly original_type: string;
  /** The author's own content, without address, time and type. */
  readonly content: JsonValue;
  /** The owner. */
  readonly address: string;
  readonly ref: JsonValue;
  readonly channel: string | null;
  /** ISO 8601 with offset. */
  readonly created: string;
  /** ISO 8601 with offset. */
  readonly last_updated: string;
}

export function readPostObject(post: AnswerObject): PostObject {
  return {
    item_hash: post.text("item_hash"),
    original_item_hash: post.text("original_item_hash"),
    original_type: post.text("original_type"),
    content: memberOf(post.value, "content") ?? null,
    address: post.text("address"),
    ref: memberOf(post.value, "ref") ?? null,
    channel: post.textOrNull("channel"),
    created: post.text("created"),
    last_updated: post.text("last_updated"),
  };
}
