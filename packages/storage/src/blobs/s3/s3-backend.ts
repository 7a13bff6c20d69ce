import { HeadBucketCommand, S3Client } from "@aws-sdk/client-s3";
import type { RemoteBackend } from "../remote/open-remote-stores.ts";
import { RemoteFailure } from "../remote/remote-failure.ts";
import { s3Failure } from "./s3-failure.ts";
import { S3Objects } from "./s3-objects.ts";
import type { S3Settings } from "./s3-settings.ts";

const CONNECT_TIMEOUT_MS = 5_000;

/** A bucket of S3, or of a server that speaks like it. */
export function s3Backend(settings: S3Settings): RemoteBackend {
  const { bucket, prefix, region, endpoint, pathStyle } = settings;
  const client = new S3Client({
    region,
    ...(endpoint === undefined ? {} : { endpoint }),
    forcePathStyle: pathStyle,
    credentials: { ...settings.credentials.reveal() },
    // Retries, and what they wait for, are those of RemoteServer; checksums are asked for where they are wanted.
    maxAttempts: 1,
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    requestHandler: { connectionTimeout: CONNECT_TIMEOUT_MS },
  });
  return {
    name: `s3://${bucket}${endpoint === undefined ? "" : ` at ${endpoint}`}`,
    files: new S3Objects(client, bucket, `${prefix}files/`),
    packs: new S3Objects(client, bucket, `${prefix}packs/`),
    async probe(signal) {
      try {
        await client.send(new HeadBucketCommand({ Bucket: bucket }), { abortSignal: signal });
      } catch (error) {
        signal.throwIfAborted();
        throw noBucket(s3Failure(error));
      }
    },
    [Symbol.dispose]: () => client.destroy(),
  };
}

/** A bucket that is not there is a mistake in the settings; the node does not make one. */
function noBucket(failure: RemoteFailure): RemoteFailure {
  if (failure.kind !== "missing") return failure;
  return new RemoteFailure("refused", "there is no such bucket", failure);
}
