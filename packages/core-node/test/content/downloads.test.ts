import assert from "node:assert/strict";
import { test } from "node:test";
import { createDownloads, type DownloadOptions } from "../../src/content/downloads.ts";
import { FileHolds } from "../../src/content/file-holds.ts";

const { signal } = new AbortController();

test("what others keep for this node is served like what is here, and what is lost is not", async () => {
  const contents = { stat: async (name: string) => (name === "here" ? { sizeBytes: 1 } : undefined) };
  const downloads = createDownloads({
    contents: contents as unknown as DownloadOptions["contents"],
    holds: new FileHolds(),
    isElsewhere: async (name) => name === "elsewhere",
    fetch: async () => false,
  });
  const asked = ["here", "elsewhere", "lost"];
  const held = await Promise.all(asked.map((name) => downloads.isHeld(name, { signal })));
  const served = await Promise.all(asked.map((name) => downloads.isServed(name, { signal })));
  assert.deepEqual(
    [held, served],
    [
      [true, false, false],
      [true, true, false],
    ],
  );
});
