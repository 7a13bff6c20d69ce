import type { SqlConnection } from "../../sql/connection.ts";
import type { Dialect } from "../../sql/dialect.ts";
import type { ReadBudget } from "../read-budget.ts";
import { textChanged } from "../read-error.ts";
import type { LongPart, Piece, PiecePosition } from "../text-types.ts";
import { AggregatePieces } from "./aggregate-pieces.ts";
import { type HeldText, HeldTexts } from "./held-texts.ts";
import { LONG_TEXT_BYTES } from "./item-text.ts";
import { memberRange } from "./member-range.ts";
import { readStoredBytes, type StoredBytes } from "./stored-bytes.ts";

type StoredPart = Extract<LongPart, { kind: "stored" }>;

const STORED = {
  copy: { table: "copies", column: "content", isName: false },
  candidate: { table: "candidates", column: "content", isName: false },
  triggers: { table: "vms", column: "triggers", isName: false },
  addresses: { table: "addresses", column: "address", isName: true },
  channels: { table: "channels", column: "channel", isName: true },
  labels: { table: "labels", column: "label", isName: true },
} as const;

/** The bytes of a stored text; names are served as JSON strings. */
function storedBytesOf({ utf8, quotedJson }: Dialect, { of, id }: StoredPart): StoredBytes {
  const { table, column, isName } = STORED[of];
  const expression = utf8(isName ? quotedJson(column) : column);
  return { expression, from: `FROM ${table} WHERE id = ?`, parameters: [id] };
}

const NULL = Buffer.from("null");

/**
 * Reads the long parts of texts piece by piece. Each piece is read by itself, so that no read lasts while a slow
 * client takes what it asked for.
 */
export class LongTexts {
  readonly #connection: SqlConnection;
  readonly #held = new HeldTexts();
  readonly #aggregates: AggregatePieces;

  constructor(connection: SqlConnection) {
    this.#connection = connection;
    this.#aggregates = new AggregatePieces(connection, this.#held);
  }

  /**
   * The piece that begins at a position; null: the first one.
   *
   * @throws ReadError TEXT_CHANGED when the text is not what it was when the part was made
   */
  piece(part: LongPart, position: PiecePosition | null, budget: ReadBudget): Piece {
    if (part.kind === "aggregate") return this.#aggregates.piece(part, position, budget);
    return this.#storedPiece(part, position?.offset ?? 0);
  }

  /** Frees what is held for readers that may never come back. */
  release(): void {
    this.#held.dropAll();
  }

  #storedPiece(part: StoredPart, offset: number): Piece {
    const key = `${part.of} ${part.id} ${part.sizeBytes} ${part.member ?? ""}`;
    const { bytes, start, end } = this.#held.use(key, () => this.#open(part));
    const from = start + offset;
    const to = Math.min(from + LONG_TEXT_BYTES, end);
    const piece = { bytes: Uint8Array.from(bytes.subarray(from, to)) };
    if (to < end) return { ...piece, next: { field: null, offset: to - start } };
    this.#held.drop(key);
    return { ...piece, next: null };
  }

  #open(part: StoredPart): HeldText {
    const bytes = readStoredBytes(this.#connection, storedBytesOf(this.#connection.dialect, part));
    if (bytes?.length !== part.sizeBytes) throw textChanged();
    if (part.member === null) return { bytes, start: 0, end: bytes.length };
    const range = memberRange(bytes, part.member);
    return range === undefined ? { bytes: NULL, start: 0, end: NULL.length } : { bytes, ...range };
  }
}
