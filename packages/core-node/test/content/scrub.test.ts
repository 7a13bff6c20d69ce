import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { createVirtualTime } from "@twentysix/platform";
import { blobFilePath } from "@twentysix/storage";
import { startNodeWith } from "./started-node.ts";

const HOUR_MS = 3_600_000;
const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

test("a node reads what it stores again, and tells of what is corrupt until it comes again", async (t) => {
  const time = createVirtualTime();
  const { core, log, filesFolder } = await startNodeWith(t, time.timers);
  const upload = async (text: string): Promise<void> => {
    const answer = await fetch(`${core.apiUrl}/api/v0/storage/add_file`, { method: "POST", body: text });
    assert.equal(answer.status, 200, await answer.text());
  };
  const metric = async (name: string): Promise<number> => {
    const text = await (await fetch(`${core.apiUrl}/metrics`)).text();
    return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1]);
  };
  /** Lets virtual time pass, and real reading and writing happen in it, until something holds. */
  const passUntil = async (holds: () => Promise<boolean>): Promise<void> => {
    for (let step = 0; !(await holds()); step += 1) {
      assert.ok(step < 2_000, "nothing of the kind happens");
      await time.advance(HOUR_MS / 20);
      await nextTurn();
    }
  };
  const good = "stays as it is";
  const bad = "loses a bit";
  await upload(good);
  await upload(bad);
  const path = blobFilePath(filesFolder, sha256(bad));
  const bytes = await readFile(path);
  bytes[0] = (bytes[0] ?? 0) ^ 1;
  await writeFile(path, bytes);

  await passUntil(async () =>
    log.records.some(({ message }) => message.startsWith("Stored bytes are corrupt")),
  );
  assert.equal(await metric("twentysix_corrupt_blobs_total"), 1);
  await passUntil(async () => (await metric("twentysix_damaged_files")) === 1);
  const told = log.records.filter(({ message }) => message.startsWith("Stored bytes are corrupt"));
  assert.deepEqual([...new Set(told.map(({ fields }) => fields.sha256))], [sha256(bad)]);
  const intact = await fetch(`${core.apiUrl}/api/v0/storage/raw/${sha256(good)}`);
  assert.equal(await intact.text(), good);

  await upload(bad);
  assert.equal(await metric("twentysix_damaged_files"), 0);
  assert.deepEqual(await readFile(path, "utf8"), bad);
});
