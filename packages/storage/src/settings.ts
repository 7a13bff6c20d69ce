/** The door for whoever reads settings: what names an engine, without the engines. */
export type { BlobEngineSettings } from "./blobs/engine-settings.ts";
export { S3Credentials } from "./blobs/s3/s3-settings.ts";
