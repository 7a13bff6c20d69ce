import type { KuboSettings } from "./kubo/kubo-settings.ts";
import type { S3Settings } from "./s3/s3-settings.ts";

/** Where a node keeps its blobs. */
export type BlobEngineSettings =
  | { readonly kind: "files" }
  | ({ readonly kind: "s3" } & S3Settings)
  | ({ readonly kind: "kubo" } & KuboSettings);
