import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const COMMAND = fileURLToPath(new URL("../bin/twentysix.mjs", import.meta.url));
/** Where all tests keep the images that they boot. */
const FOLDER = fileURLToPath(new URL("../../../.cache/images/", import.meta.url));

test("twentysix image build makes what was asked for, and says what its bytes are", {
  timeout: 900_000,
}, async () => {
  const build = async (...flags: string[]): Promise<{ stdout: string; stderr: string }> =>
    await promisify(execFile)(process.execPath, [COMMAND, "image", "build", "--out", FOLDER, ...flags]);
  const { stdout } = await build("binary", "--json");
  const [image, ...others] = JSON.parse(stdout);
  assert.deepEqual(others, []);
  assert.deepEqual([image.kind, image.name], ["runtime", "binary"]);
  const bytes = await readFile(image.path);
  assert.equal(bytes.length, image.sizeBytes);
  assert.equal(createHash("sha256").update(bytes).digest("hex"), image.sha256);
  const again = await build("binary");
  assert.equal(again.stderr, "", "nothing is built twice");
  assert.ok(again.stdout.includes(image.sha256));
  await assert.rejects(build("vax"), { code: 2 });
});
