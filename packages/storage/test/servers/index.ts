/** Real servers that keep blobs, for the tests of this package and of those above it. */
export { type KuboServer, kuboMissing, startKuboServer } from "./kubo-server.ts";
export { type S3Server, s3Missing, startS3Server } from "./s3-server.ts";
