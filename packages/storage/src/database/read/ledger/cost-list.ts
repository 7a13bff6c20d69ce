import { encodeHex, encodeItemHash, isItemHash } from "@twentysix/protocol";
import { COST_START } from "../../cost-start.ts";
import type { SqlConnection, SqlValue } from "../../sql/connection.ts";
import { type CursorScope, decodeCursor, encodeCursor, filterDigest } from "../cursor.ts";
import type { Dictionaries } from "../dictionary.ts";
import {
  type BoundedPageRequest,
  type ChunkRequest,
  cursorPage,
  firstOfPage,
  type ListReader,
  totalOf,
} from "../lists/list-reader.ts";
import type { CursorPage, JsonText, ListPage } from "../types.ts";
import { COST_COLUMNS, type CostJsonRow, costMembers } from "./cost-json.ts";
import { costSummary } from "./cost-summary.ts";
import type { CostsQuery } from "./ledger-views.ts";
import { PAYMENT_CODE } from "./payment-code.ts";

const ROW = `SELECT ${COST_COLUMNS}, ${COST_START} AS started_us, r.credits AS consumed
  FROM costs AS c CROSS JOIN price_lists AS p CROSS JOIN items AS i
  LEFT JOIN consumed_credits AS r ON r.resource = c.hash WHERE c.id = ? AND p.id = c.price_list_id AND i.id = c.id`;

interface Key {
  readonly id: number;
  readonly hash: Uint8Array;
}

/** What live messages cost, in the order of their hashes. */
export class CostList implements ListReader<CostsQuery> {
  readonly #connection: SqlConnection;
  readonly #names: Dictionaries;

  constructor(connection: SqlConnection, names: Dictionaries) {
    this.#connection = connection;
    this.#names = names;
  }

  page(query: CostsQuery, request: BoundedPageRequest): ListPage {
    const { page, pageSize } = request;
    const keys = this.#keys(query, null, pageSize, (page - 1) * pageSize);
    const count = () => ({
      total: costSummary(this.#connection, this.#names, query).resources,
      approximate: false,
    });
    return {
      ...firstOfPage(keys, request, this.#renderer(query), encoderOf(query)),
      ...totalOf(request, keys.length, count),
    };
  }

  cursor(query: CostsQuery, request: ChunkRequest): CursorPage {
    const position = decodeCursor(scopeOf(query), request.cursor);
    const after = position === null ? null : Buffer.from(position.texts[0] ?? "", "hex");
    const keys = this.#keys(query, after, request.pageSize + 1, 0);
    return cursorPage(keys, request, this.#renderer(query), encoderOf(query));
  }

  /** Located on the index alone; the rows are read by their ids. */
  #keys(query: CostsQuery, after: Uint8Array | null, limit: number, skip: number): readonly Key[] {
    const conditions = ["payment = ?"];
    const parameters: SqlValue[] = [PAYMENT_CODE[query.paymentType]];
    if (query.owner !== undefined) {
      const ownerId = this.#names.addresses.idOf(query.owner);
      if (ownerId === null) return [];
      conditions.push("owner_id = ?");
      parameters.push(ownerId);
    }
    if (query.itemHash !== undefined) {
      if (!isItemHash(query.itemHash, { anyCidV1: true })) return [];
      conditions.push("hash = ?");
      parameters.push(encodeItemHash(query.itemHash));
    }
    if (after !== null) {
      conditions.push("hash > ?");
      parameters.push(after);
    }
    const index = query.owner === undefined ? "costs_payment" : "costs_owner";
    const where = conditions.join(" AND ");
    return this.#connection.all<{ id: number; hash: Uint8Array }>(
      `SELECT id, hash FROM costs ${this.#connection.dialect.indexedBy(index)} WHERE ${where} ORDER BY hash LIMIT ? OFFSET ?`,
      ...parameters,
      limit,
      skip,
    );
  }

  #renderer(query: CostsQuery): (key: Key) => JsonText | null {
    return ({ id }) => {
      const row = this.#connection.getBig<CostJsonRow & { readonly consumed: string | null }>(ROW, id);
      if (row === undefined) return null;
      return `{${costMembers(row, row.consumed ?? "0", this.#names, query)}}`;
    };
  }
}

function encoderOf(query: CostsQuery): (key: Key) => string {
  const scope = scopeOf(query);
  return ({ hash }) => encodeCursor(scope, { times: [], texts: [encodeHex(hash)] });
}

function scopeOf({ owner, itemHash, paymentType }: CostsQuery): CursorScope {
  const digest = filterDigest({ owner, itemHash, paymentType });
  return { list: "costs", order: "asc", digest, times: 0, texts: 1 };
}
