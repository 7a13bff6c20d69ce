/** The errors that this package raises. The code names what happened; the message says what to do. */
export type PlatformErrorCode =
  | "TIMEOUT"
  | "QUEUE_CLOSED"
  | "QUEUE_WAITERS_EXCEEDED"
  | "SEMAPHORE_WAITERS_EXCEEDED";

export class PlatformError extends Error {
  readonly code: PlatformErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: PlatformErrorCode, message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.name = "PlatformError";
    this.code = code;
    this.details = details;
  }
}
