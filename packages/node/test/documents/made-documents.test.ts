import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { madeDocuments } from "../../src/documents/index.ts";

const read = (path: string): string => readFileSync(new URL(`../../../../${path}`, import.meta.url), "utf8");

for (const [path, text] of Object.entries(madeDocuments(read))) {
  test(`${path} is what the code gives (npm run docs writes it)`, () => {
    // Where lines break in JSON is the formatter's business.
    if (path.endsWith(".json")) assert.deepEqual(JSON.parse(read(path)), JSON.parse(text));
    else assert.equal(read(path), text);
  });
}
