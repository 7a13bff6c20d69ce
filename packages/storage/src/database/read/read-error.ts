/** Why a read did not answer. */
export const READ_ERROR_CODES = [
  "CURSOR_INVALID",
  "READ_TIMEOUT",
  "READ_QUEUE_FULL",
  "READER_CLOSED",
  "READER_FAILED",
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
