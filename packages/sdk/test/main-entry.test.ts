import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

/** What a module imports, types left out. */
const RUNTIME_IMPORT = /^(?:import|export) (?!type )[^"']*?from "([^"]+)"/gm;

test("the main entry runs in a browser: nothing it reaches is of Node, and protocol is all it depends on", async () => {
  const reached = new Set<string>();
  const foreign = new Set<string>();
  const queue = [new URL("../src/index.ts", import.meta.url).href];
  for (let url = queue.pop(); url !== undefined; url = queue.pop()) {
    if (reached.has(url)) continue;
    reached.add(url);
    const text = await readFile(new URL(url), "utf8");
    for (const [, specifier = ""] of text.matchAll(RUNTIME_IMPORT)) {
      if (specifier.startsWith(".")) queue.push(new URL(specifier, url).href);
      else foreign.add(specifier);
    }
  }
  assert.ok(reached.size > 30);
  assert.deepEqual([...foreign], ["@twentysix/protocol"]);
});
