import { decodeItemHash, encodeItemHash, formatIsoZ, formatTime } from "@twentysix/protocol";
import { sql } from "kysely";
import { FILE_TYPES } from "../../codes.ts";
import type { SqlConnection } from "../../sql/connection.ts";
import type { Counters } from "../counters.ts";
import { filterDigest } from "../cursor.ts";
import type { Dictionaries } from "../dictionary.ts";
import { unknownCode } from "../message/message-rows.ts";
import type { RowKey, TimedSource } from "../timed/source.ts";
import type { AccountFilesQuery, JsonText } from "../types.ts";
import { TimedList } from "./timed-list.ts";

const FILE_OF_PIN =
  "SELECT f.hash, f.size, f.type FROM pins AS p CROSS JOIN files AS f WHERE p.id = ? AND f.id = p.file_id";

/** Files that STORE messages of one address keep, by the time their author gave. */
export function fileList(
  connection: SqlConnection,
  names: Dictionaries,
  counters: Counters,
): TimedList<AccountFilesQuery> {
  return new TimedList(connection, {
    source: pinSource(counters),
    select: ({ address, fileHash }) => {
      const owner = names.addresses.idOf(address);
      const file = fileHash === undefined ? undefined : fileIdOf(connection, fileHash);
      if (owner === null || file === null) return null;
      const conditions = new Map([["owner_id", [owner]]]);
      if (file !== undefined) conditions.set("file_id", [file]);
      const extra = hasRemovals(connection, owner) ? [NOT_REMOVING] : [];
      return { conditions, extra, lowestMicros: null, highestMicros: null };
    },
    scope: ({ address, fileHash, direction }) => ({
      list: "files",
      order: direction,
      digest: filterDigest({ address, fileHash }),
      times: 1,
      texts: 1,
    }),
    renderer: (query) => (key) => renderFile(connection, key, query),
    // The whole address whatever the filter: what its pages have always said.
    total: (_, { address }) => ({ total: countFiles(names, counters, address), approximate: false }),
  });
}

/** The pin of a message that is about to be removed still keeps the file, but its owner has it no longer. */
const NOT_REMOVING = sql`not exists (select 1 from removals as r where r.id = m.item_id)`;

function hasRemovals(connection: SqlConnection, ownerId: number): boolean {
  const account = connection.get<{ removing: number }>("SELECT removing FROM accounts WHERE id = ?", ownerId);
  return (account?.removing ?? 0) > 0;
}

export function countFiles(names: Dictionaries, counters: Counters, address: string): number {
  const owner = names.addresses.idOf(address);
  return owner === null ? 0 : counters.get("ownerFiles", owner);
}

export function sizeOfFiles(names: Dictionaries, counters: Counters, address: string): number {
  const owner = names.addresses.idOf(address);
  return owner === null ? 0 : counters.get("ownerFileBytes", owner);
}

function fileIdOf(connection: SqlConnection, fileHash: string): number | null {
  const row = connection.get<{ id: number }>("SELECT id FROM files WHERE hash = ?", encodeItemHash(fileHash));
  return row?.id ?? null;
}

function pinSource(counters: Counters): TimedSource {
  return {
    table: "pins",
    time: "created_us",
    itemColumn: "item_id",
    always: "kind = 1",
    tags: null,
    enumerable: {},
    estimate: (columns, values) =>
      columns.join() === "owner_id" ? counters.sum("ownerFiles", (values[0] ?? []).map(Number), [0]) : null,
  };
}

function renderFile(connection: SqlConnection, key: RowKey, query: AccountFilesQuery): JsonText | null {
  const row = connection.get<{ hash: Uint8Array; size: number; type: number }>(FILE_OF_PIN, key.id);
  if (row === undefined) return null;
  const type = FILE_TYPES[row.type] ?? unknownCode("file type", row.type);
  const micros = key.keys[0] ?? 0n;
  const created = query.createdAs === "iso" ? `"${formatIsoZ(micros)}"` : formatTime(micros);
  return `{"file_hash":"${decodeItemHash(row.hash)}","size":${row.size},"type":"${type}","created":${created},"item_hash":"${decodeItemHash(key.hash)}"}`;
}
