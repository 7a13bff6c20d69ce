/**
 * Every error that the HTTP API answers, with its status. The code is the `error.code` of the body; a client may
 * rely on it. A rejected submission carries the integer code of the message error table instead.
 */
export const API_ERRORS = {
  API_BAD_REQUEST: 400,
  API_INVALID_HASH: 400,
  API_INVALID_PATH: 400,
  API_UNSUPPORTED_COMBINATION: 400,
  API_MULTIPART_MALFORMED: 400,
  API_UNAUTHORIZED: 401,
  API_PAYMENT_REQUIRED: 402,
  API_FORBIDDEN: 403,
  API_SIGNATURE_INVALID: 403,
  API_IPFS_DISABLED: 403,
  API_PREFLIGHT_REFUSED: 403,
  API_NOT_FOUND: 404,
  API_METHOD_NOT_ALLOWED: 405,
  API_BODY_TIMEOUT: 408,
  API_MESSAGE_PENDING: 409,
  API_CONTENT_UNAVAILABLE: 409,
  API_RECALCULATION_RUNNING: 409,
  API_GONE: 410,
  API_BODY_TOO_LARGE: 413,
  API_URI_TOO_LONG: 414,
  API_RANGE_NOT_SATISFIABLE: 416,
  API_UNPROCESSABLE: 422,
  API_ANSWER_TOO_LARGE: 422,
  API_FILE_HASH_MISMATCH: 422,
  API_CAR_INVALID: 422,
  API_UPGRADE_REQUIRED: 426,
  API_RATE_LIMITED: 429,
  API_HEADERS_TOO_LARGE: 431,
  API_CLIENT_CLOSED: 499,
  API_INTERNAL: 500,
  API_IPFS_FAILURE: 502,
  API_FILES_UNAVAILABLE: 502,
  API_OVERLOADED: 503,
  API_READ_ONLY: 503,
  API_READ_TIMEOUT: 503,
  API_FILES_TIMEOUT: 504,
  API_STORAGE_FULL: 507,
  API_GRACE_PERIOD_FULL: 507,
} as const;

export type ApiErrorCode = keyof typeof API_ERRORS;

/** Refusals of routes that need bytes which a server elsewhere may keep. */
export const FILE_SERVER_REFUSALS = ["API_FILES_UNAVAILABLE", "API_FILES_TIMEOUT"] as const;

export type ErrorDetails = Readonly<Record<string, unknown>>;

/** A refusal of a request: what failed, why, and what to do. Everything else that is thrown is a defect. */
export class ApiError extends Error {
  readonly code: ApiErrorCode;
  readonly details: ErrorDetails;
  /** Headers that belong to the answer, such as Retry-After. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: ApiErrorCode,
    message: string,
    details: ErrorDetails = {},
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.name = "ApiError";
    this.code = code;
    this.details = details;
    this.headers = headers;
  }

  get status(): number {
    return API_ERRORS[this.code];
  }
}

/** The JSON body of an error. */
export function errorBody(code: ApiErrorCode | number, message: string, details: ErrorDetails = {}): string {
  return JSON.stringify({ error: { code, message, details } });
}
