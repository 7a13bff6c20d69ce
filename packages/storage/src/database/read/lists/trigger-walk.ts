import { decodeItemHash, encodeItemHash } from "@twentysix/protocol";
import type { SqlConnection } from "../../sql/connection.ts";
import type { Dialect } from "../../sql/dialect.ts";
import { type CursorScope, decodeCursor, encodeCursor } from "../cursor.ts";
import { joinTexts, LONG_TEXT_BYTES, longText } from "../long-text/item-text.ts";
import type { ReadBudget } from "../read-budget.ts";
import type { ItemText } from "../text-types.ts";
import type { CursorPage, Direction } from "../types.ts";
import { type ChunkRequest, cursorPage } from "./list-reader.ts";

const currentOf = ({
  indexedBy,
}: Dialect): string => `SELECT v.id, v.created_us, i.hash FROM vms AS v ${indexedBy("vms_triggers")}
  CROSS JOIN items AS i WHERE v.triggers IS NOT NULL AND i.id = v.id
  AND NOT EXISTS (SELECT 1 FROM vms AS newer ${indexedBy("vms_original")}
    WHERE newer.original_id = v.original_id AND (newer.created_us, newer.id) > (v.created_us, v.id))`;
const TRIGGERS = `SELECT octet_length(triggers) AS bytes,
  CASE WHEN octet_length(triggers) > ${LONG_TEXT_BYTES} THEN NULL ELSE triggers END AS triggers FROM vms WHERE id = ?`;

const DIRECTIONS = {
  asc: { beyond: ">", order: "ASC" },
  desc: { beyond: "<", order: "DESC" },
} as const;

interface Program {
  readonly id: bigint;
  readonly created_us: bigint;
  readonly hash: Uint8Array;
}

/** Current programs with message subscriptions, by the time of their message, then hash. */
export function walkTriggers(
  connection: SqlConnection,
  direction: Direction,
  request: ChunkRequest,
  budget: ReadBudget,
): CursorPage {
  const scope: CursorScope = { list: "triggers", order: direction, digest: "", times: 1, texts: 1 };
  const position = decodeCursor(scope, request.cursor);
  const { beyond, order } = DIRECTIONS[direction];
  const current = currentOf(connection.dialect);
  const ordered = `ORDER BY v.created_us ${order}, i.hash LIMIT ?`;
  const limit = request.pageSize + 1;
  budget.checkpoint();
  const time = position?.times[0] ?? null;
  const hash = encodeItemHash(position?.texts[0] ?? "");
  const programs =
    time === null
      ? connection.allBig<Program>(`${current} ${ordered}`, limit)
      : connection.allBig<Program>(
          `${current} AND (v.created_us ${beyond} ? OR (v.created_us = ? AND i.hash > ?)) ${ordered}`,
          time,
          time,
          hash,
          limit,
        );
  return cursorPage(
    programs,
    request,
    (program) => renderProgram(connection, program),
    (program) => encodeCursor(scope, { times: [program.created_us], texts: [decodeItemHash(program.hash)] }),
  );
}

function renderProgram(connection: SqlConnection, { id, hash }: Program): ItemText | null {
  const row = connection.get<{ bytes: number | null; triggers: string | null }>(TRIGGERS, id);
  if (row === undefined || row.bytes === null) return null;
  const triggers =
    row.triggers ??
    longText({ kind: "stored", of: "triggers", id: Number(id), member: null, sizeBytes: row.bytes });
  return joinTexts(`{"item_hash":"${decodeItemHash(hash)}","content":{"on":{"message":`, triggers, "}}}");
}
