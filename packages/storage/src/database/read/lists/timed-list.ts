import type { SqlConnection } from "../../sql/connection.ts";
import type { CursorScope } from "../cursor.ts";
import type { ReadBudget } from "../read-budget.ts";
import type { ItemText } from "../text-types.ts";
import { type AccessPaths, readAccessPaths } from "../timed/access-path.ts";
import { decodeKeyCursor, encodeKeyCursor } from "../timed/key-cursor.ts";
import { type Located, locate, type Wanted } from "../timed/locate.ts";
import { planSelection } from "../timed/plan.ts";
import type { RowKey, Selection, TimedSource } from "../timed/source.ts";
import type { CursorPage, Direction, ListPage } from "../types.ts";
import {
  type BoundedPageRequest,
  type ChunkRequest,
  cursorPage,
  EMPTY_PAGE,
  firstOfPage,
  type ListReader,
  type TotalCount,
  totalOf,
} from "./list-reader.ts";

/** What makes one list out of the shared way to locate rows by time. */
export interface TimedListSpec<Query extends { readonly direction: Direction }> {
  readonly source: TimedSource;
  /** null: nothing can match. */
  select(query: Query): Selection | null;
  scope(query: Query): CursorScope;
  /** The text of one located row, null when it is gone. */
  renderer(query: Query): (key: RowKey) => ItemText | null;
  total(list: Located, query: Query): TotalCount;
  /** For orders other than that of time. */
  locate?(list: Located, paths: AccessPaths, query: Query, wanted: Wanted): RowKey[];
}

/** A list whose rows are located by (time, hash) and rendered one by one. */
export class TimedList<Query extends { readonly direction: Direction }> implements ListReader<Query> {
  readonly #connection: SqlConnection;
  readonly #spec: TimedListSpec<Query>;
  readonly #paths: AccessPaths;

  constructor(connection: SqlConnection, spec: TimedListSpec<Query>) {
    this.#connection = connection;
    this.#spec = spec;
    this.#paths = readAccessPaths(connection, spec.source);
  }

  page(query: Query, page: BoundedPageRequest, budget: ReadBudget): ListPage {
    const list = this.#prepare(query, budget);
    if (list === null) return EMPTY_PAGE;
    const skip = (page.page - 1) * page.pageSize;
    const keys = this.#locate(list, query, {
      direction: query.direction,
      after: null,
      skip,
      limit: page.pageSize,
    });
    const scope = this.#spec.scope(query);
    const first = firstOfPage(keys, page, this.#spec.renderer(query), (key) => encodeKeyCursor(scope, key));
    return { ...first, ...totalOf(page, keys.length, () => this.#spec.total(list, query)) };
  }

  cursor(query: Query, request: ChunkRequest, budget: ReadBudget): CursorPage {
    const scope = this.#spec.scope(query);
    const after = decodeKeyCursor(scope, request.cursor);
    const list = this.#prepare(query, budget);
    if (list === null) return { items: [], nextCursor: null };
    const wanted = { direction: query.direction, after, skip: 0, limit: request.pageSize + 1 };
    const keys = this.#locate(list, query, wanted);
    return cursorPage(keys, request, this.#spec.renderer(query), (key) => encodeKeyCursor(scope, key));
  }

  #prepare(query: Query, budget: ReadBudget): Located | null {
    const { source } = this.#spec;
    const selection = this.#spec.select(query);
    if (selection === null) return null;
    const plan = planSelection(this.#connection, source, this.#paths.usable, selection);
    return { connection: this.#connection, source, selection, plan, budget };
  }

  #locate(list: Located, query: Query, wanted: Wanted): RowKey[] {
    return this.#spec.locate?.(list, this.#paths, query, wanted) ?? locate(list, wanted);
  }
}
