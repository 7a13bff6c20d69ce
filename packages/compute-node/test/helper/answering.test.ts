import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { isAnswering } from "../../src/helper/run-helper.ts";

test("a helper that ends while somebody calls it does not answer, and that is no failure", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "answering-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "helper.sock");
  assert.equal(await isAnswering(path), false, "there is none");
  const server = createServer((socket) => socket.on("error", () => undefined)).listen(path);
  await once(server, "listening");
  assert.equal(await isAnswering(path), true);
  // The call stands in the queue of a socket that closes before anybody takes it.
  const called = isAnswering(path);
  server.close();
  assert.equal(await called, false);
});
