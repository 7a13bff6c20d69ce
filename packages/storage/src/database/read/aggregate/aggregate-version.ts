import { createHash } from "node:crypto";
import type { SqlConnection } from "../../sql/connection.ts";
import type { Dialect } from "../../sql/dialect.ts";
import { type ReadBudget, UNLIMITED } from "../read-budget.ts";

const winnersOf = ({
  textStart,
}: Dialect): string => `SELECT field, item_id, octet_length(field) + octet_length(value) AS bytes
  FROM aggregate_fields WHERE owner_id = ? AND key_id = ? ORDER BY ${textStart("field")}, field`;
/** Fields between two looks at the budget. */
const STEP_FIELDS = 1_000;

interface Winner {
  readonly field: string;
  readonly item_id: number | bigint;
  readonly bytes: number | bigint;
}

export interface AggregateIdentity {
  readonly version: string;
  /** About the size of the content: names and values. */
  readonly sizeBytes: number;
}

/**
 * Digest of which element won each field. The newest element alone does not tell: one that arrives late, or is
 * forgotten, changes other fields.
 */
export function aggregateVersion(
  connection: SqlConnection,
  ownerId: number,
  keyId: number,
  lastId: number | bigint,
): string {
  return identityOf(connection.all<Winner>(winnersOf(connection.dialect), ownerId, keyId), lastId, UNLIMITED)
    .version;
}

/** The same for an aggregate with any number of fields, which are not held. */
export function longAggregateIdentity(
  connection: SqlConnection,
  ownerId: number,
  keyId: number,
  lastId: number | bigint,
  budget: ReadBudget,
): AggregateIdentity {
  return identityOf(
    connection.iterateBig<Winner>(winnersOf(connection.dialect), ownerId, keyId),
    lastId,
    budget,
  );
}

function identityOf(
  winners: Iterable<Winner>,
  lastId: number | bigint,
  budget: ReadBudget,
): AggregateIdentity {
  const hash = createHash("sha256").update(`${lastId}`);
  let sizeBytes = 2;
  let fields = 0;
  for (const { field, item_id, bytes } of winners) {
    hash.update(`\n${item_id} ${field}`);
    // Quotes, colon and comma.
    sizeBytes += Number(bytes) + 4;
    fields += 1;
    if (fields % STEP_FIELDS === 0) budget.checkpoint();
  }
  return { version: hash.digest("base64url").slice(0, 22), sizeBytes };
}
