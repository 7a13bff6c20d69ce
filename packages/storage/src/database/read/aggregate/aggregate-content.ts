import type { SqlConnection } from "../../sql/connection.ts";
import type { JsonText } from "../types.ts";

const FIELDS = "SELECT field, value FROM aggregate_fields WHERE owner_id = ? AND key_id = ? ORDER BY field";

/** The merged content of one aggregate, its stored values spliced in, ordered by field. */
export function aggregateContent(connection: SqlConnection, ownerId: number, keyId: number): JsonText {
  const fields = connection.all<{ field: string; value: string }>(FIELDS, ownerId, keyId);
  return `{${fields.map(({ field, value }) => `${JSON.stringify(field)}:${value}`).join(",")}}`;
}
