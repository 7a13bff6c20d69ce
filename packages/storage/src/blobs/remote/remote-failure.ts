import { PlatformError } from "@twentysix/platform";
import { BlobError } from "../errors.ts";

/**
 * How a call to a server failed: `away` (it cannot be reached or is overloaded), `timeout` (it was reached and keeps
 * silent), `refused` (it will not do it, however often it is asked), `missing` (it has no such object), `short` (it
 * gave fewer bytes than the object has).
 */
export type FailureKind = "away" | "timeout" | "refused" | "missing" | "short";

/** A failed call, by what can be done about it. */
export class RemoteFailure extends Error {
  readonly kind: FailureKind;

  constructor(kind: FailureKind, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "RemoteFailure";
    this.kind = kind;
  }
}

const CODES = {
  away: "BLOB_SERVER_AWAY",
  timeout: "BLOB_SERVER_TIMEOUT",
  refused: "BLOB_SERVER_REFUSED",
  missing: "BLOB_CORRUPT",
  short: "BLOB_CORRUPT",
} as const;

/** What callers of a blob store are told. */
export function blobErrorOf(server: string, failure: RemoteFailure): BlobError {
  return new BlobError(
    CODES[failure.kind],
    `${server} ${ADVICE[failure.kind]}: ${failure.message}`,
    { server },
    failure,
  );
}

const ADVICE = {
  away: "cannot be reached; try again later",
  timeout: "does not answer in time; try again later",
  refused: "refuses; look at its address, bucket, credentials and settings",
  missing: "has lost the blob; upload or fetch it again",
  short: "has only a part of the blob; upload or fetch it again",
} as const;

/** Error codes of the system and of HTTP clients that say that no connection came about, or that it broke. */
const AWAY_CODES: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ECONNABORTED",
  "EPIPE",
  "EHOSTUNREACH",
  "EHOSTDOWN",
  "ENETUNREACH",
  "ENETDOWN",
  "ENOTFOUND",
  "EAI_AGAIN",
  "UND_ERR_SOCKET",
  "ERR_STREAM_PREMATURE_CLOSE",
]);
const TIMEOUT_CODES: ReadonlySet<string> = new Set([
  "ETIMEDOUT",
  "ESOCKETTIMEDOUT",
  "UND_ERR_CONNECT_TIMEOUT",
  "UND_ERR_HEADERS_TIMEOUT",
  "UND_ERR_BODY_TIMEOUT",
  "TIMEOUT",
]);

/** The failure that a broken connection is, looked for along the causes; undefined for anything else. */
export function connectionFailure(error: unknown): RemoteFailure | undefined {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof RemoteFailure) return cause;
    const code = "code" in cause && typeof cause.code === "string" ? cause.code : "";
    if (AWAY_CODES.has(code)) return new RemoteFailure("away", code, error);
    if (TIMEOUT_CODES.has(code) || cause.name === "TimeoutError" || isTimeout(cause)) {
      return new RemoteFailure("timeout", cause.message, error);
    }
    if (cause instanceof AggregateError && cause.errors.length > 0) {
      const [first] = cause.errors.map(connectionFailure).filter((failure) => failure !== undefined);
      if (first !== undefined) return first;
    }
  }
  return undefined;
}

function isTimeout(error: Error): boolean {
  return error instanceof PlatformError && error.code === "TIMEOUT";
}
