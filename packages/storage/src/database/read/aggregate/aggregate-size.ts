import type { SqlConnection } from "../../sql/connection.ts";
import { LONG_TEXT_BYTES } from "../long-text/item-text.ts";

const SIZES = `SELECT octet_length(field) AS names, octet_length(value) AS values_bytes
  FROM aggregate_fields WHERE owner_id = ? AND key_id = ? LIMIT ?`;

/** Fields that are read at once. */
const MAX_FIELDS = 500;
/** Fields whose names are read at once whatever the size of their values: each is a page of the database at most. */
const FEW_FIELDS = 32;

/** Of one aggregate or several together. */
export interface AggregateSize {
  readonly fields: number;
  readonly nameBytes: number;
  readonly bytes: number;
}

const EMPTY: AggregateSize = { fields: 0, nameBytes: 0, bytes: 0 };
const TOO_LARGE: AggregateSize = {
  fields: Number.POSITIVE_INFINITY,
  nameBytes: Number.POSITIVE_INFINITY,
  bytes: Number.POSITIVE_INFINITY,
};

/** May all of it be read at once? */
export function isSmall({ fields, bytes }: AggregateSize): boolean {
  return fields <= MAX_FIELDS && bytes <= LONG_TEXT_BYTES;
}

/** May its names be read at once? */
export function isNamedAtOnce(size: AggregateSize): boolean {
  return isSmall(size) || (size.fields <= FEW_FIELDS && size.nameBytes <= LONG_TEXT_BYTES);
}

/** The size of an aggregate, found without looking at more than what may be read at once. */
export function sizeOfAggregate(
  connection: SqlConnection,
  { ownerId, keyId }: { readonly ownerId: number; readonly keyId: number },
): AggregateSize {
  const first = measured(connection, ownerId, keyId, FEW_FIELDS + 1);
  if (first.fields <= FEW_FIELDS) return first;
  if (!isSmall(first)) return TOO_LARGE;
  const all = measured(connection, ownerId, keyId, MAX_FIELDS + 1);
  return all.fields > MAX_FIELDS ? TOO_LARGE : all;
}

export function addSizes(a: AggregateSize, b: AggregateSize): AggregateSize {
  return { fields: a.fields + b.fields, nameBytes: a.nameBytes + b.nameBytes, bytes: a.bytes + b.bytes };
}

function measured(connection: SqlConnection, ownerId: number, keyId: number, limit: number): AggregateSize {
  const rows = connection.all<{ names: number; values_bytes: number }>(SIZES, ownerId, keyId, limit);
  return rows.reduce(
    (sum, row) => addSizes(sum, { fields: 1, nameBytes: row.names, bytes: row.names + row.values_bytes }),
    EMPTY,
  );
}
