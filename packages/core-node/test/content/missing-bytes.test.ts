import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { test } from "node:test";
import { createSystemTimers } from "@twentysix/platform";
import { blobFilePath } from "@twentysix/storage";
import { startNodeWith } from "./started-node.ts";

test("a registered file whose bytes are gone is not found, and nobody is told to keep that answer", async (t) => {
  const { core, filesFolder } = await startNodeWith(t, createSystemTimers());
  const body = "here for a moment";
  const hash = createHash("sha256").update(body).digest("hex");
  const uploaded = await fetch(`${core.apiUrl}/api/v0/storage/add_file`, { method: "POST", body });
  assert.equal(uploaded.status, 200, await uploaded.text());
  await rm(blobFilePath(filesFolder, hash));
  const path = `${core.apiUrl}/api/v0/storage/raw/${hash}`;
  const asked: readonly [what: string, url: string, init: RequestInit][] = [
    ["GET", path, {}],
    ["HEAD", path, { method: "HEAD" }],
    ["a range", path, { headers: { range: "bytes=0-3" } }],
    ["its type", `${path}?content-type=auto&filename=a.txt`, {}],
    ["the type of a HEAD", `${path}?content-type=auto`, { method: "HEAD" }],
    ["base64", path.replace("/raw", ""), {}],
  ];
  for (const [what, url, init] of asked) {
    const answer = await fetch(url, init);
    await answer.text();
    assert.equal(answer.status, 404, what);
    assert.equal(answer.headers.get("cache-control"), "no-store", what);
    for (const name of ["etag", "content-disposition", "accept-ranges", "x-content-type-options"])
      assert.equal(answer.headers.get(name), null, `${name} of ${what}`);
  }
  // Whoever holds the bytes already may go on using them: they are those of this name for ever.
  const held = await fetch(path, { headers: { "if-none-match": `"${hash}"` } });
  assert.equal(held.status, 304);
});
