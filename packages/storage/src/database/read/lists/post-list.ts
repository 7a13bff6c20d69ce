import { sql } from "kysely";
import { encodeRef } from "../../ref-bytes.ts";
import type { SqlConnection, SqlValue } from "../../sql/connection.ts";
import type { Counters } from "../counters.ts";
import { type CursorScope, filterDigest } from "../cursor.ts";
import type { Dictionaries } from "../dictionary.ts";
import { idsOfHashes } from "../item-ids.ts";
import { lowestMicros, timeBefore } from "../time-bounds.ts";
import { countMatches } from "../timed/count-matches.ts";
import { gatherBy, type Located, locate } from "../timed/locate.ts";
import type { Selection, TimedSource } from "../timed/source.ts";
import type { PostsQuery } from "../types.ts";
import { MAX_COUNTED_ROWS, type TotalCount } from "./list-reader.ts";
import { PostRows } from "./post-rows.ts";
import { TimedList } from "./timed-list.ts";

/** Original posts merged with the amend that is shown, by its time or by the confirmation of the original. */
export function postList(
  connection: SqlConnection,
  names: Dictionaries,
  counters: Counters,
): TimedList<PostsQuery> {
  const rows = new PostRows(connection, names);
  return new TimedList(connection, {
    source: postSource(counters),
    select: (query) => selectPosts(connection, names, query),
    scope: scopeOf,
    renderer:
      ({ version }) =>
      (key) =>
        rows.render(key.id, version),
    total: (list, query) => totalPosts(counters, list, query),
    locate: (list, _, query, wanted) => {
      if (query.sortBy === "time") return locate(list, wanted);
      const original = sql`cross join messages as c`;
      const selection = { ...list.selection, extra: [...list.selection.extra, sql`c.id = m.id`] };
      const keys = [sql.ref("c.confirmed_us"), sql.ref("m.created_us")];
      return gatherBy({ ...list, selection }, keys, original, wanted);
    },
  });
}

function postSource(counters: Counters): TimedSource {
  return {
    table: "posts",
    time: "updated_us",
    itemColumn: "id",
    always: null,
    tags: { table: "post_tags", rowId: "post_id" },
    enumerable: {},
    estimate: (columns, values) => countPosts(counters, columns, values),
  };
}

function countPosts(
  counters: Counters,
  columns: readonly string[],
  values: readonly (readonly SqlValue[])[],
): number | null {
  const ids = (values[0] ?? []).map(Number);
  if (columns.length === 0) return counters.get("posts");
  if (columns.length > 1) return null;
  if (columns[0] === "type_id") return counters.sum("postType", ids, [0]);
  return columns[0] === "owner_id" ? counters.sum("postOwner", ids, [0]) : null;
}

function selectPosts(connection: SqlConnection, names: Dictionaries, query: PostsQuery): Selection | null {
  const conditions = new Map<string, readonly SqlValue[]>();
  const add = (column: string, values: readonly SqlValue[] | undefined): void => {
    if (values !== undefined) conditions.set(column, values);
  };
  add("owner_id", query.owners && names.addresses.idsOf(query.owners));
  add("type_id", query.types && names.labels.idsOf(query.types));
  add("channel_id", query.channels && names.channels.idsOf(query.channels));
  add("tag", query.tags && names.labels.idsOf(query.tags));
  add("ref", query.refs && [...new Set(query.refs)].map(encodeRef));
  add("id", query.itemHashes && originalsOf(connection, query.itemHashes));
  if ([...conditions.values()].some((values) => values.length === 0)) return null;
  return {
    conditions,
    extra: [],
    lowestMicros: lowestMicros(query.startMicros),
    highestMicros: timeBefore(query.endMicros),
  };
}

/** A hash finds the post it is the original of, or an amend of. */
function originalsOf(connection: SqlConnection, itemHashes: readonly string[]): number[] {
  const ids = new Set<number>();
  for (const id of idsOfHashes(connection, itemHashes)) {
    const amend = connection.get<{ target_id: number }>("SELECT target_id FROM amends WHERE id = ?", id);
    ids.add(amend?.target_id ?? id);
  }
  return [...ids];
}

function totalPosts(counters: Counters, list: Located, query: PostsQuery): TotalCount {
  const { conditions } = list.selection;
  if (query.startMicros === undefined && query.endMicros === undefined) {
    const known = countPosts(counters, [...conditions.keys()], [...conditions.values()]);
    if (known !== null) return { total: known, approximate: false };
  }
  return countMatches(list, MAX_COUNTED_ROWS);
}

function scopeOf(query: PostsQuery): CursorScope {
  const { version: _, sortBy, direction, ...filter } = query;
  return {
    list: "posts",
    order: `${sortBy} ${direction}`,
    digest: filterDigest(filter),
    times: sortBy === "time" ? 1 : 2,
    texts: 1,
  };
}
