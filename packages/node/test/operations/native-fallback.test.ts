import assert from "node:assert/strict";
import { globSync, mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { type NodeProcess, startNode } from "../support/node-process.ts";
import { post, rawAccount, signRaw } from "../support/raw-messages.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

/* The binary of libsecp256k1 is missing or broken. Its loader looks where SECP256K1_PREBUILD says. */

const author = rawAccount("author without native code");

/** Places for a binary of this platform, as the package itself has them. */
function placesOfBinaries(): string[] {
  const packageFolder = dirname(createRequire(import.meta.url).resolve("secp256k1/package.json"));
  const cwd = join(packageFolder, "prebuilds");
  return globSync(`${process.platform}-${process.arch}/*.node`, { cwd });
}

/** What the log of a node says of its cryptography at warning level. */
function warningsOf(node: NodeProcess): string[] {
  return node.stderr
    .split("\n")
    .filter((line) => line.includes("without native code"))
    .map((line) => (JSON.parse(line) as { cryptography: { secp256k1: string } }).cryptography.secp256k1);
}

async function assertVerifies(node: NodeProcess): Promise<void> {
  const message = await signRaw({ type: "POST", members: '"type":"t","content":{}', account: author });
  const other = await signRaw({ type: "POST", members: '"type":"t","content":{"n":1}', account: author });
  const forged = message.envelope.replace(message.signature, other.signature);
  const refused = await post(node, "/api/v0/messages", `{"sync":true,"message":${forged}}`);
  assert.equal(refused.status, 422, refused.text);
  const taken = await post(node, "/api/v0/messages", `{"sync":true,"message":${message.envelope}}`);
  assert.equal(taken.status, 200, taken.text);
}

describe("without the binary of libsecp256k1 a node verifies all the same and says why it is slow", () => {
  test("when there is none for this platform", async () => {
    using folder = temporaryFolder("no-binary");
    const environment = { SECP256K1_PREBUILD: join(folder.path, "empty") };
    await using node = await startNode(join(folder.path, "data"), { environment });
    await assertVerifies(node);
    const [reason, ...more] = warningsOf(node);
    assert.match(reason ?? "", /^noble \(no binary for this platform: .*No native build was found/s);
    assert.deepEqual(more, []);
  });

  test("when it is broken", async (t) => {
    const places = placesOfBinaries();
    if (places.length === 0) return t.skip("the package has no binary for this platform");
    using folder = temporaryFolder("broken-binary");
    for (const place of places) {
      const file = join(folder.path, "prebuilds", place);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, "this is no binary");
    }
    const environment = { SECP256K1_PREBUILD: folder.path };
    await using node = await startNode(join(folder.path, "data"), { environment });
    await assertVerifies(node);
    const [reason, ...more] = warningsOf(node);
    assert.match(reason ?? "", /^noble \(no binary for this platform: Error: .*\.node/s);
    assert.deepEqual(more, []);
  });

  test("and where it loads there is no such warning", async (t) => {
    if (placesOfBinaries().length === 0) return t.skip("the package has no binary for this platform");
    using folder = temporaryFolder("binary");
    await using node = await startNode(folder.path);
    await assertVerifies(node);
    assert.deepEqual(warningsOf(node), []);
  });
});
