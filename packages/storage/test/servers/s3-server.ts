import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { S3Credentials } from "../../src/blobs/s3/s3-settings.ts";
import type { BlobEngineSettings } from "../../src/settings.ts";
import { freePort, ServerProcess } from "./server-process.ts";

const KEYS = { accessKeyId: "test-key", secretAccessKey: "test-secret" };
const BUCKET = "blobs";

/** A reason not to run the tests that need it; false when they can. */
export const s3Missing = (): string | false =>
  process.env.TWENTYSIX_TEST_S3_SERVER === undefined && "TWENTYSIX_TEST_S3_SERVER names no S3 server";

/** An S3 server (versitygw) with an empty bucket, over a temporary folder. */
export interface S3Server extends AsyncDisposable {
  readonly settings: Extract<BlobEngineSettings, { kind: "s3" }>;
  /** As a user would write it. */
  readonly url: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly process: ServerProcess;
  /** Where the objects stand on the disk, by their keys. */
  readonly bucketFolder: string;
  /** Puts other bytes in the place of an object behind everyone's back. */
  overwrite(key: string, bytes: Uint8Array): Promise<void>;
  /** Removes an object behind everyone's back. */
  lose(key: string): Promise<void>;
  /** Keys of all objects, and uploads that have not ended. */
  keys(): Promise<string[]>;
}

export async function startS3Server(): Promise<S3Server> {
  const program = process.env.TWENTYSIX_TEST_S3_SERVER ?? "";
  const folder = await mkdtemp(join(tmpdir(), "twentysix-s3-"));
  const bucket = join(folder, "objects", BUCKET);
  await mkdir(bucket, { recursive: true });
  await mkdir(join(folder, "meta"));
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const server = new ServerProcess({
    program,
    // Facts of objects go into a folder of their own: not every file system has extended attributes.
    args: [
      "--port",
      `127.0.0.1:${port}`,
      "--quiet",
      "posix",
      "--sidecar",
      join(folder, "meta"),
      join(folder, "objects"),
    ],
    environment: { ROOT_ACCESS_KEY_ID: KEYS.accessKeyId, ROOT_SECRET_ACCESS_KEY: KEYS.secretAccessKey },
    isReady: async () => (await fetch(endpoint)).status > 0,
  });
  await server.start();
  return {
    settings: {
      kind: "s3",
      bucket: BUCKET,
      endpoint,
      region: "us-east-1",
      prefix: "",
      pathStyle: true,
      credentials: new S3Credentials(KEYS),
    },
    url: `s3://${BUCKET}?endpoint=${encodeURIComponent(endpoint)}&pathStyle=true`,
    environment: { AWS_ACCESS_KEY_ID: KEYS.accessKeyId, AWS_SECRET_ACCESS_KEY: KEYS.secretAccessKey },
    process: server,
    bucketFolder: bucket,
    overwrite: async (key, bytes) => writeFile(join(bucket, key), bytes),
    lose: async (key) => rm(join(bucket, key)),
    async keys() {
      const entries = await readdir(bucket, { recursive: true, withFileTypes: true });
      const paths = entries
        .filter((entry) => entry.isFile())
        .map(({ parentPath, name }) => join(parentPath, name));
      return paths.map((path) => path.slice(bucket.length + 1)).sort();
    },
    async [Symbol.asyncDispose]() {
      await server.kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
