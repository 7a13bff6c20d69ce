import type { SqlConnection } from "../../sql/connection.ts";
import type { Dictionaries } from "../dictionary.ts";

/** Above this an aggregate is no list of prices, and not read at once. */
const MAX_FIELDS = 1_000;
const MAX_BYTES = 1_000_000;

const FITS = `SELECT count(*) AS n, coalesce(sum(octet_length(value)), 0) AS bytes FROM
  (SELECT value FROM aggregate_fields WHERE owner_id = ? AND key_id = ? LIMIT ${MAX_FIELDS + 1}) AS x`;
const FIELDS = "SELECT field, value FROM aggregate_fields WHERE owner_id = ? AND key_id = ?";

/** The fields of a small aggregate as they are stored; null: there is none, or a large one. */
export function aggregateFields(
  connection: SqlConnection,
  { addresses, labels }: Dictionaries,
  address: string,
  key: string,
): (readonly [name: string, valueText: string])[] | null {
  const ownerId = addresses.idOf(address);
  const keyId = labels.idOf(key);
  if (ownerId === null || keyId === null) return null;
  const size = connection.get<{ n: number; bytes: number }>(FITS, ownerId, keyId);
  if (size === undefined || size.n === 0 || size.n > MAX_FIELDS || size.bytes > MAX_BYTES) return null;
  return connection
    .all<{ field: string; value: string }>(FIELDS, ownerId, keyId)
    .map(({ field, value }) => [field, value] as const);
}
