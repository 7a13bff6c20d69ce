import type { SqliteConnection } from "../../sqlite/connection.ts";
import { LONG_TEXT_BYTES } from "../long-text/item-text.ts";
import type { JsonText } from "../types.ts";

const FIELDS = "SELECT field, value FROM aggregate_fields WHERE owner_id = ? AND key_id = ? ORDER BY field";
const SIZES = `SELECT octet_length(field) AS names, octet_length(field) + octet_length(value) AS whole
  FROM aggregate_fields WHERE owner_id = ? AND key_id = ? LIMIT ?`;

/** Fields that are read at once. */
const MAX_FIELDS = 500;

/** The merged content of one aggregate, its stored values spliced in, ordered by field. */
export function aggregateContent(connection: SqliteConnection, ownerId: number, keyId: number): JsonText {
  const fields = connection.all<{ field: string; value: string }>(FIELDS, ownerId, keyId);
  return `{${fields.map(({ field, value }) => `${JSON.stringify(field)}:${value}`).join(",")}}`;
}

/** What may still be read at once of several aggregates. */
export interface AggregateRoom {
  readonly bytes: number;
  readonly fields: number;
}

export const WHOLE_ROOM: AggregateRoom = { bytes: LONG_TEXT_BYTES, fields: MAX_FIELDS };

/**
 * The room that one aggregate, or the names of its fields alone, leaves; null when it does not fit in. Looks at no
 * more than what would fit.
 */
export function roomAfter(
  connection: SqliteConnection,
  { ownerId, keyId }: { readonly ownerId: number; readonly keyId: number },
  room: AggregateRoom,
  part: "whole" | "names",
): AggregateRoom | null {
  const sizes = connection.all<{ names: number; whole: number }>(SIZES, ownerId, keyId, room.fields + 1);
  const bytes = sizes.reduce((sum, size) => sum + size[part], 0);
  if (sizes.length > room.fields || bytes > room.bytes) return null;
  return { bytes: room.bytes - bytes, fields: room.fields - sizes.length };
}
