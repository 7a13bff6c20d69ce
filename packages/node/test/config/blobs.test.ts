import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { inspect } from "node:util";
import { resolveConfig } from "../../src/config/index.ts";

const KEYS = {
  AWS_ACCESS_KEY_ID: "AKIA0",
  AWS_SECRET_ACCESS_KEY: "top-secret",
  AWS_SESSION_TOKEN: "session-1",
};

const resolve = (blobs: string, environment: Readonly<Record<string, string>> = {}) =>
  resolveConfig({ flags: { blobs }, environment, workingDir: "/w", readTextFile: async () => "" });

async function settingsOf(blobs: string, environment: Readonly<Record<string, string>> = {}) {
  const outcome = await resolve(blobs, environment);
  assert.ok(outcome.ok, outcome.ok ? "" : outcome.problem.message);
  return outcome.config.blobs;
}

async function problemOf(blobs: string, environment: Readonly<Record<string, string>> = {}): Promise<string> {
  const outcome = await resolve(blobs, environment);
  assert.ok(!outcome.ok, `${blobs} was taken`);
  return outcome.problem.message;
}

describe("the setting of what keeps the files", () => {
  test("files, S3 with its parameters and defaults, Kubo", async () => {
    assert.deepEqual(await settingsOf("files"), { kind: "files" });
    assert.deepEqual(await settingsOf("kubo://127.0.0.1:5001"), {
      kind: "kubo",
      url: "http://127.0.0.1:5001",
    });
    const full = await settingsOf(
      "s3://my-bucket?endpoint=http://127.0.0.1:9000&region=eu-west-3&prefix=nodes/1&pathStyle=true",
      KEYS,
    );
    assert.ok(full.kind === "s3");
    const { credentials, ...rest } = full;
    assert.deepEqual(rest, {
      kind: "s3",
      bucket: "my-bucket",
      endpoint: "http://127.0.0.1:9000",
      region: "eu-west-3",
      prefix: "nodes/1/",
      pathStyle: true,
    });
    assert.deepEqual(credentials.reveal(), {
      accessKeyId: "AKIA0",
      secretAccessKey: "top-secret",
      sessionToken: "session-1",
    });
    const bare = await settingsOf("s3://my-bucket", { ...KEYS, AWS_REGION: "us-west-1" });
    assert.ok(bare.kind === "s3");
    assert.deepEqual(
      [bare.region, bare.prefix, bare.pathStyle, bare.endpoint],
      ["us-west-1", "", false, undefined],
    );
  });

  test("the keys of S3 are shown by nothing that prints a configuration", async () => {
    const settings = await settingsOf("s3://my-bucket", KEYS);
    for (const text of [
      inspect(settings, { depth: 9, showHidden: true }),
      JSON.stringify(settings),
      String(settings),
    ]) {
      assert.doesNotMatch(text, /top-secret|session-1|AKIA0/);
    }
  });

  test("what is wrong is said, and a password in a URL is not said again", async () => {
    assert.match(await problemOf("s3://my-bucket"), /AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY/);
    const told = await problemOf("s3://AKIA0:top-secret@my-bucket", KEYS);
    assert.match(told, /no keys in the URL/);
    assert.doesNotMatch(told, /top-secret/);
    assert.match(await problemOf("s3://my-bucket?endpont=http://x", KEYS), /only the parameters endpoint/);
    assert.match(await problemOf("s3://my-bucket?endpoint=ftp://x", KEYS), /an http or https URL/);
    assert.match(await problemOf("s3://my-bucket?prefix=../x", KEYS), /a prefix such as/);
    assert.match(await problemOf("s3://my-bucket?pathStyle=yes", KEYS), /true or false as pathStyle/);
    assert.match(await problemOf("s3://UP_case", KEYS), /the name of a bucket/);
    assert.match(await problemOf("s3://my-bucket/folder", KEYS), /the name of a bucket/);
    for (const kubo of [
      "kubo://127.0.0.1",
      "kubo://127.0.0.1:5001/api",
      "kubo://u:p@127.0.0.1:5001",
      "kubo://",
    ]) {
      assert.match(await problemOf(kubo), /kubo:\/\/127\.0\.0\.1:5001|kubo:\/\/HOST:PORT/);
    }
    assert.match(await problemOf("ftp://x"), /files/);
  });
});
