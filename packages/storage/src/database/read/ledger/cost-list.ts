import { decodeItemHash, encodeHex, encodeItemHash, formatAtto, isItemHash } from "@twentysix/protocol";
import { decodeCostLines } from "../../cost-lines.ts";
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
import { costLineJson } from "./cost-line-json.ts";
import { costSummary } from "./cost-summary.ts";
import type { CostsQuery } from "./ledger-views.ts";
import { PAYMENT_CODE, paymentOfCode } from "./payment-code.ts";

const ROW = `SELECT c.owner_id, c.payment, c.hold, c.stream, c.credit, c.lines, r.credits AS consumed
  FROM costs AS c LEFT JOIN consumed_credits AS r ON r.resource = c.hash WHERE c.id = ?`;

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

  #renderer({ withLines, withSizes }: CostsQuery): (key: Key) => JsonText | null {
    return ({ id, hash }) => {
      const row = this.#connection.get<{
        owner_id: number;
        payment: number;
        hold: string;
        stream: string;
        credit: string;
        lines: string;
        consumed: string | null;
      }>(ROW, id);
      if (row === undefined) return null;
      const lines = withLines
        ? decodeCostLines(decodeItemHash(hash), row.lines).map((line) => costLineJson(line, withSizes))
        : null;
      const owner = JSON.stringify(this.#names.addresses.nameOf(row.owner_id));
      return `{"item_hash":"${decodeItemHash(hash)}","owner":${owner},"payment_type":"${paymentOfCode(row.payment)}","consumed_credits":${row.consumed ?? "0"},"cost_hold":"${formatAtto(BigInt(row.hold))}","cost_stream":"${formatAtto(BigInt(row.stream))}","cost_credit":"${formatAtto(BigInt(row.credit))}","detail":${JSON.stringify(lines)}}`;
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
