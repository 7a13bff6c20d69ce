import type { SqlConnection } from "../../sql/connection.ts";
import type { Dialect } from "../../sql/dialect.ts";
import { isText } from "../../sql/is-text.ts";
import { longAggregateIdentity } from "../aggregate/aggregate-version.ts";
import type { ReadBudget } from "../read-budget.ts";
import { ReadError, textChanged } from "../read-error.ts";
import type { LongPart, Piece, PiecePosition } from "../text-types.ts";
import type { HeldText, HeldTexts } from "./held-texts.ts";
import { LONG_TEXT_BYTES } from "./item-text.ts";
import { readStoredBytes } from "./stored-bytes.ts";

type AggregatePart = Extract<LongPart, { kind: "aggregate" }>;

/** Longer names of fields are not served: one would fill the memory of the thread. */
const MAX_NAME_BYTES = 16 * 1024 * 1024;
/** Offset behind a field of which everything was given. */
const COMPLETE = -1;

const COLUMNS = `CASE WHEN octet_length(field) > ${MAX_NAME_BYTES} THEN NULL ELSE field END AS name,
  CASE WHEN octet_length(value) > ${LONG_TEXT_BYTES} THEN NULL ELSE value END AS text
  FROM aggregate_fields WHERE owner_id = ? AND key_id = ?`;
const firstOf = ({ textStart }: Dialect): string =>
  `SELECT ${COLUMNS} ORDER BY ${textStart("field")}, field LIMIT 1`;
const nextOf = ({
  textStart,
}: Dialect): string => `SELECT ${COLUMNS} AND ${textStart("field")} >= ${textStart("?")}
  AND field > ? ORDER BY ${textStart("field")}, field LIMIT 1`;
const LAST_ELEMENT = "SELECT last_id FROM aggregates WHERE owner_id = ? AND key_id = ?";

interface FieldRow {
  /** null: too long. */
  readonly name: string | null;
  /** null: long. */
  readonly text: string | null;
}

/** The merged content of an aggregate of any size, field by field. */
export class AggregatePieces {
  readonly #connection: SqlConnection;
  readonly #held: HeldTexts;

  constructor(connection: SqlConnection, held: HeldTexts) {
    this.#connection = connection;
    this.#held = held;
  }

  /** @throws ReadError TEXT_CHANGED with the last piece, when the pieces may be of two versions; ANSWER_TOO_LARGE */
  piece(part: AggregatePart, position: PiecePosition | null, budget: ReadBudget): Piece {
    const chunks: Buffer[] = position === null ? [Buffer.from("{")] : [];
    let size = 0;
    let at = position;
    const add = (chunk: Buffer): void => {
      chunks.push(chunk);
      size += chunk.length;
    };
    while (size < LONG_TEXT_BYTES) {
      if (at !== null && at.field !== null && at.offset !== COMPLETE) {
        const { bytes, end } = this.#longValue(part, at.field, at.offset);
        add(bytes);
        at = { field: at.field, offset: end };
        continue;
      }
      const row = this.#fieldAfter(part, at);
      if (row === undefined) {
        this.#assertUnchanged(part, budget);
        add(Buffer.from("}"));
        return { bytes: joined(chunks), next: null };
      }
      if (row.name === null) {
        const message = "a field of this aggregate has a name that is too long to be served";
        throw new ReadError("ANSWER_TOO_LARGE", message, { maxBytes: MAX_NAME_BYTES });
      }
      add(Buffer.from(`${at === null ? "" : ","}${JSON.stringify(row.name)}:${row.text ?? ""}`));
      at = { field: row.name, offset: row.text === null ? 0 : COMPLETE };
    }
    return { bytes: joined(chunks), next: at };
  }

  #fieldAfter({ ownerId, keyId }: AggregatePart, at: PiecePosition | null): FieldRow | undefined {
    const { dialect } = this.#connection;
    if (at === null || at.field === null)
      return this.#connection.get<FieldRow>(firstOf(dialect), ownerId, keyId);
    return this.#connection.get<FieldRow>(nextOf(dialect), ownerId, keyId, at.field, at.field);
  }

  #longValue(
    part: AggregatePart,
    field: string,
    offset: number,
  ): { readonly bytes: Buffer; readonly end: number } {
    const key = `field ${part.ownerId} ${part.keyId} ${part.version} ${field}`;
    const { bytes } = this.#held.use(key, () => this.#openValue(part, field));
    const end = Math.min(offset + LONG_TEXT_BYTES, bytes.length);
    const isLast = end === bytes.length;
    if (isLast) this.#held.drop(key);
    return { bytes: bytes.subarray(offset, end), end: isLast ? COMPLETE : end };
  }

  #openValue({ ownerId, keyId }: AggregatePart, field: string): HeldText {
    const { dialect } = this.#connection;
    const bytes = readStoredBytes(this.#connection, {
      expression: dialect.utf8("value"),
      from: `FROM aggregate_fields WHERE owner_id = ? AND key_id = ? AND ${isText({ dialect }, "field")}`,
      parameters: [ownerId, keyId, field, field],
    });
    if (bytes === null) throw textChanged();
    return { bytes, start: 0, end: bytes.length };
  }

  #assertUnchanged({ ownerId, keyId, version }: AggregatePart, budget: ReadBudget): void {
    const row = this.#connection.get<{ last_id: number }>(LAST_ELEMENT, ownerId, keyId);
    if (row === undefined) throw textChanged();
    const now = longAggregateIdentity(this.#connection, ownerId, keyId, row.last_id, budget);
    if (now.version !== version) throw textChanged();
  }
}

function joined(chunks: readonly Buffer[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}
