import { decodeItemHash, formatIsoZ } from "@twentysix/protocol";
import { STATUS_CODE, STATUSES, type Status } from "../../codes.ts";
import type { SqlConnection } from "../../sql/connection.ts";
import type { Counters } from "../counters.ts";
import { filterDigest } from "../cursor.ts";
import { unknownCode } from "../message/message-rows.ts";
import { lowestMicros, timeBefore } from "../time-bounds.ts";
import { countMatches } from "../timed/count-matches.ts";
import type { RowKey, TimedSource } from "../timed/source.ts";
import type { HashesQuery, JsonText } from "../types.ts";
import { MAX_COUNTED_ROWS } from "./list-reader.ts";
import { TimedList } from "./timed-list.ts";

const DEFAULT_STATUSES: readonly Status[] = ["processed", "removing"];

/** Item hashes of every status by the time of reception: the way to follow a node completely. */
export function hashList(connection: SqlConnection, counters: Counters): TimedList<HashesQuery> {
  return new TimedList(connection, {
    source: itemSource(counters),
    select: (query) => {
      const codes = statusCodes(query);
      if (codes.length === 0) return null;
      return {
        // Every status: no condition at all.
        conditions: new Map(codes.length === STATUSES.length ? [] : [["status", codes]]),
        extra: [],
        lowestMicros: lowestMicros(query.startMicros),
        highestMicros: timeBefore(query.endMicros),
      };
    },
    scope: ({ statuses, startMicros, endMicros, direction }) => ({
      list: "hashes",
      order: direction,
      digest: filterDigest({ statuses, startMicros, endMicros }),
      times: 1,
      texts: 1,
    }),
    renderer: ({ hashOnly }) => (hashOnly ? renderHash : (key) => renderItem(connection, key)),
    total: (list, query) => {
      const isUnbounded = query.startMicros === undefined && query.endMicros === undefined;
      if (!isUnbounded) return countMatches(list, MAX_COUNTED_ROWS);
      return { total: counters.sum("status", statusCodes(query), null), approximate: false };
    },
  });
}

function itemSource(counters: Counters): TimedSource {
  const everyStatus = STATUSES.map((_, code) => code);
  return {
    table: "items",
    time: "reception_us",
    itemColumn: null,
    always: null,
    tags: null,
    enumerable: {},
    estimate: (columns, values) => {
      if (columns.length > 1) return null;
      return counters.sum("status", columns.length === 0 ? everyStatus : (values[0] ?? []).map(Number), null);
    },
  };
}

function statusCodes({ statuses }: HashesQuery): number[] {
  return [...new Set(statuses ?? DEFAULT_STATUSES)].map((status) => STATUS_CODE[status]);
}

const renderHash = (key: RowKey): JsonText => `"${decodeItemHash(key.hash)}"`;

function renderItem(connection: SqlConnection, key: RowKey): JsonText | null {
  const row = connection.get<{ status: number }>("SELECT status FROM items WHERE id = ?", key.id);
  if (row === undefined) return null;
  const status = STATUSES[row.status] ?? unknownCode("status", row.status);
  return `{"item_hash":${renderHash(key)},"status":"${status}","reception_time":"${formatIsoZ(key.keys[0] ?? 0n)}"}`;
}
