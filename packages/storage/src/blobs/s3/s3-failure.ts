import { S3ServiceException } from "@aws-sdk/client-s3";
import { connectionFailure, RemoteFailure } from "../remote/remote-failure.ts";

/** The server will do better in a moment. Source: the error codes of the S3 API. */
const AWAY_NAMES: ReadonlySet<string> = new Set([
  "InternalError",
  "ServiceUnavailable",
  "SlowDown",
  "OperationAborted",
  "TooManyRequests",
  "ThrottlingException",
]);
const MISSING_NAMES: ReadonlySet<string> = new Set(["NoSuchKey", "NotFound"]);

/** What failed, out of an error of the SDK; everything that is none of a server's or of the way to it is thrown. */
export function s3Failure(error: unknown): RemoteFailure {
  if (error instanceof RemoteFailure) return error;
  if (error instanceof S3ServiceException) return serviceFailure(error);
  const failure = connectionFailure(error);
  if (failure !== undefined) return failure;
  throw error;
}

function serviceFailure(error: S3ServiceException): RemoteFailure {
  const status = error.$metadata.httpStatusCode ?? 0;
  const message = `${error.name} (HTTP ${status})`;
  if (MISSING_NAMES.has(error.name)) return new RemoteFailure("missing", message, error);
  if (error.name === "InvalidRange") return new RemoteFailure("short", message, error);
  if (error.name === "RequestTimeout") return new RemoteFailure("timeout", message, error);
  const isAway = AWAY_NAMES.has(error.name) || status >= 500 || status === 429;
  return new RemoteFailure(isAway ? "away" : "refused", message, error);
}
