import assert from "node:assert/strict";
import { cp, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { inspect } from "node:util";
import { createBlobEngine } from "../../src/blobs/create-engine.ts";
import { fileEngine } from "../../src/blobs/file-engine.ts";
import { S3Credentials } from "../../src/blobs/s3/s3-settings.ts";
import { type S3Server, s3Missing, startS3Server } from "../servers/s3-server.ts";
import { drain, seededBuffer, seededBytes, sha256 } from "./bytes.ts";
import { openStore, remoteParts } from "./engines/tested-engine.ts";
import { eventually } from "./eventually.ts";
import { rejectsWith } from "./expect-code.ts";
import { carFixture, kubo } from "./kubo-vectors.ts";
import { temporaryFolder } from "./temporary-folder.ts";

describe("a bucket", { skip: s3Missing(), timeout: 120_000 }, () => {
  let started: Promise<S3Server> | undefined;
  const server = (): Promise<S3Server> => {
    started ??= startS3Server();
    return started;
  };
  after(async () => (await started)?.[Symbol.asyncDispose]());

  test("has the keys of the file store, so that a folder copied into it is taken over, each blob once it is proved", async () => {
    const { settings, overwrite, bucketFolder } = await server();
    await using folder = await temporaryFolder();
    const bytes = seededBuffer("copied", 600_000);
    const forged = seededBuffer("forged", 1000);
    const vector = kubo.foreign[0] ?? assert.fail();
    let root = "";
    {
      await using store = await openStore(folder.path, { engine: fileEngine });
      root = (await store.addFile([bytes], ["cidV0"])).dags.get("cidV0")?.root ?? "";
      await store.putFile([forged]);
      await store.importCar([carFixture(vector.name)]);
    }
    for (const part of ["files", "packs"]) {
      const to = join(bucketFolder, "copied", part);
      await mkdir(to, { recursive: true });
      await cp(join(folder.path, part), to, { recursive: true });
    }
    const name = sha256(forged);
    await overwrite(`copied/files/${name.slice(0, 2)}/${name}`, seededBuffer("other", 1000));
    const engine = createBlobEngine({ ...settings, prefix: "copied/" }, remoteParts());
    await using store = await openStore(folder.path, { engine });
    assert.deepEqual(await drain(store.read(root)), Buffer.from(bytes));
    assert.equal((await drain(store.read(vector.root))).length, vector.sizeBytes);
    const told: string[] = [];
    store.server?.onDamage((sha) => told.push(sha));
    await rejectsWith("BLOB_CORRUPT", () => drain(store.read(name)));
    assert.deepEqual(told, [name]);
    assert.equal((await store.putFile([bytes])).isNew, false);
  });

  test("keeps an object that has no record when its upload is sent again and fails", async () => {
    const place = await server();
    await using folder = await temporaryFolder();
    const engine = createBlobEngine({ ...place.settings, prefix: "found/" }, remoteParts());
    const bytes = seededBuffer("found", 300_000);
    const name = sha256(bytes);
    const key = `found/files/${name.slice(0, 2)}/${name}`;
    await mkdir(join(place.bucketFolder, "found/files", name.slice(0, 2)), { recursive: true });
    await place.overwrite(key, bytes);
    await using store = await openStore(folder.path, { engine });
    let dying: Promise<void> | undefined;
    const claim = (): void => {
      dying = place.process.kill();
    };
    await rejectsWith("BLOB_SERVER_AWAY", () => store.files.put([bytes], { claim }));
    await dying;
    await place.process.start();
    await eventually(() => store.server?.state.isUsable === true);
    await store.files.put([Buffer.from("what is swept is swept by now")]);
    assert.ok((await place.keys()).includes(key));
    assert.deepEqual(await drain(store.read(name)), Buffer.from(bytes));
  });

  test("with wrong keys, or that is not there, is refused by a code, and no key is told", async () => {
    const { settings } = await server();
    const secretAccessKey = "a-very-wrong-secret";
    const credentials = new S3Credentials({ accessKeyId: "test-key", secretAccessKey });
    for (const wrong of [
      { ...settings, credentials },
      { ...settings, bucket: "no-such-bucket" },
    ]) {
      await using folder = await temporaryFolder();
      await using store = await openStore(folder.path, { engine: createBlobEngine(wrong, remoteParts()) });
      assert.equal(store.server?.state.isUsable, false);
      assert.match(store.server?.state.message ?? "", /refuses; look at its address, bucket, credentials/);
      const error = await rejectsWith("BLOB_SERVER_REFUSED", () => store.files.put([]));
      assert.doesNotMatch(inspect(error, { depth: 10 }), /a-very-wrong-secret/);
    }
    assert.doesNotMatch(inspect(credentials) + JSON.stringify({ credentials }), /a-very-wrong-secret/);
  });

  test("takes files of many parts, and what was sent in parts is one object", async () => {
    const place = await server();
    await using folder = await temporaryFolder();
    const engine = createBlobEngine({ ...place.settings, prefix: "parts/" }, remoteParts());
    await using store = await openStore(folder.path, { engine });
    const sizeBytes = 20 * 1024 * 1024 + 1;
    const { sha256: name } = await store.files.put(seededBytes("parts", sizeBytes));
    const keys = (await place.keys()).filter((key) => key.startsWith("parts/"));
    assert.deepEqual(keys, [`parts/files/${name.slice(0, 2)}/${name}`]);
    const range = { offsetBytes: 8 * 1024 * 1024 - 5, lengthBytes: 10 };
    const expected = Buffer.concat([...seededBytes("parts", sizeBytes)]).subarray(range.offsetBytes);
    assert.deepEqual(await drain(store.files.get(name, { range })), expected.subarray(0, 10));
  });

  test("foreign objects under the prefix are none of ours and stay", async () => {
    const place = await server();
    await using folder = await temporaryFolder();
    const engine = createBlobEngine({ ...place.settings, prefix: "shared/" }, remoteParts());
    await using store = await openStore(folder.path, { engine });
    const { sha256: name } = await store.files.put([Buffer.from("ours")]);
    await mkdir(join(place.bucketFolder, "shared/files/zz"), { recursive: true });
    await place.overwrite("shared/files/zz/README", Buffer.from("not ours"));
    const listed = await Array.fromAsync(store.files.list());
    assert.deepEqual(listed, [{ sha256: name, sizeBytes: 4 }]);
    await store.files.delete(name);
    assert.ok((await place.keys()).includes("shared/files/zz/README"));
  });
});
