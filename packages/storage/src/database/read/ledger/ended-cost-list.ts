import { encodeHex, formatIsoZ } from "@twentysix/protocol";
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
import type { EndedCostsQuery } from "./ledger-views.ts";
import { PAYMENT_CODE } from "./payment-code.ts";

const ROW = `SELECT ${COST_COLUMNS}, c.started_us, c.ended_us FROM ended_costs AS c CROSS JOIN price_lists AS p
  WHERE c.id = ? AND c.ended_us = ? AND p.id = c.price_list_id`;

interface Key {
  readonly id: bigint;
  readonly hash: Uint8Array;
  readonly ended_us: bigint;
}

/** What messages cost that are forgotten or removed, in the order in which they went. */
export class EndedCostList implements ListReader<EndedCostsQuery> {
  readonly #connection: SqlConnection;
  readonly #names: Dictionaries;

  constructor(connection: SqlConnection, names: Dictionaries) {
    this.#connection = connection;
    this.#names = names;
  }

  page(query: EndedCostsQuery, request: BoundedPageRequest): ListPage {
    const { page, pageSize } = request;
    const keys = this.#keys(query, null, pageSize, (page - 1) * pageSize);
    const count = () => ({ total: this.#count(query), approximate: false });
    return {
      ...firstOfPage(keys, request, (key) => this.#render(key), encoderOf(query)),
      ...totalOf(request, keys.length, count),
    };
  }

  cursor(query: EndedCostsQuery, request: ChunkRequest): CursorPage {
    const position = decodeCursor(scopeOf(query), request.cursor);
    const after =
      position === null
        ? null
        : { endedMicros: position.times[0] ?? 0n, hash: Buffer.from(position.texts[0] ?? "", "hex") };
    const keys = this.#keys(query, after, request.pageSize + 1, 0);
    return cursorPage(keys, request, (key) => this.#render(key), encoderOf(query));
  }

  #keys(
    query: EndedCostsQuery,
    after: { readonly endedMicros: bigint; readonly hash: Uint8Array } | null,
    limit: number,
    skip: number,
  ): readonly Key[] {
    const filter = this.#filter(query);
    if (filter === null) return [];
    const { conditions, parameters, index } = filter;
    if (after !== null) {
      conditions.push("(ended_us, hash) > (?, ?)");
      parameters.push(after.endedMicros, after.hash);
    }
    return this.#connection.allBig<Key>(
      `SELECT id, hash, ended_us FROM ended_costs ${this.#connection.dialect.indexedBy(index)}
        WHERE ${conditions.join(" AND ")} ORDER BY ended_us, hash LIMIT ? OFFSET ?`,
      ...parameters,
      limit,
      skip,
    );
  }

  #count(query: EndedCostsQuery): number {
    const filter = this.#filter(query);
    if (filter === null) return 0;
    const { conditions, parameters } = filter;
    const text = `SELECT count(*) AS n FROM ended_costs WHERE ${conditions.join(" AND ")}`;
    return this.#connection.get<{ n: number }>(text, ...parameters)?.n ?? 0;
  }

  /** null: nothing can match. */
  #filter({ owner, paymentType, sinceMicros }: EndedCostsQuery): {
    readonly conditions: string[];
    readonly parameters: SqlValue[];
    readonly index: string;
  } | null {
    const conditions = ["ended_us > ?"];
    const parameters: SqlValue[] = [sinceMicros];
    if (paymentType !== undefined) {
      conditions.push("payment = ?");
      parameters.push(PAYMENT_CODE[paymentType]);
    }
    if (owner === undefined) return { conditions, parameters, index: "ended_costs_time" };
    const ownerId = this.#names.addresses.idOf(owner);
    if (ownerId === null) return null;
    conditions.push("owner_id = ?");
    parameters.push(ownerId);
    return { conditions, parameters, index: "ended_costs_owner" };
  }

  #render({ id, ended_us: ended }: Key): JsonText | null {
    const row = this.#connection.getBig<CostJsonRow & { readonly ended_us: bigint }>(ROW, id, ended);
    if (row === undefined) return null;
    const members = costMembers(row, null, this.#names, { withLines: true, withSizes: true });
    return `{${members},"ended_at":"${formatIsoZ(row.ended_us)}"}`;
  }
}

function encoderOf(query: EndedCostsQuery): (key: Key) => string {
  const scope = scopeOf(query);
  return ({ hash, ended_us: ended }) => encodeCursor(scope, { times: [ended], texts: [encodeHex(hash)] });
}

function scopeOf({ owner, paymentType, sinceMicros }: EndedCostsQuery): CursorScope {
  const digest = filterDigest({ owner, paymentType, sinceMicros });
  return { list: "endedCosts", order: "asc", digest, times: 1, texts: 1 };
}
