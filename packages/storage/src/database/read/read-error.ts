/** Why a read did not answer. */
export const READ_ERROR_CODES = [
  "CURSOR_INVALID",
  "READ_TIMEOUT",
  "READ_QUEUE_FULL",
  "READER_CLOSED",
  "READER_FAILED",
  "TEXT_CHANGED",
  "ANSWER_TOO_LARGE",
] as const;
export type ReadErrorCode = (typeof READ_ERROR_CODES)[number];

/** A read that was refused or given up; `message` says what to do next. */
export class ReadError extends Error {
  override readonly name = "ReadError";
  readonly code: ReadErrorCode;
  readonly details: Readonly<Record<string, string | number>>;

  constructor(code: ReadErrorCode, message: string, details: Readonly<Record<string, string | number>> = {}) {
    super(message);
    this.code = code;
    this.details = details;
  }
}

/** A long text was forgotten, or written anew, between two of its pieces. */
export function textChanged(): ReadError {
  return new ReadError("TEXT_CHANGED", "the text changed while it was read: ask for it again");
}
