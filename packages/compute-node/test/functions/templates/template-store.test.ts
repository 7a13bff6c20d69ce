import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { createMemoryLogger } from "@twentysix/platform";
import { DiskClaims } from "../../../src/executions/admission/disk-claims.ts";
import { TemplateStore, type TemplateStoreOptions } from "../../../src/functions/templates/template-store.ts";
import { tempFolder } from "../../support/temp-folder.ts";

async function storeIn(computeDir: string, changes: Partial<TemplateStoreOptions> = {}) {
  let seconds = 1_700_000_000;
  return await TemplateStore.open({
    ...{ computeDir, hostBootId: "boot", maxTemplates: 2, maxBytes: 1_000_000, log: createMemoryLogger() },
    room: new DiskClaims(async () => 1_000_000_000),
    clock: {
      nowMicros: () => {
        seconds += 1;
        return BigInt(seconds) * 1_000_000n;
      },
    },
    ...changes,
  });
}

async function make(store: TemplateStore, key: string, bytes = 1_000): Promise<void> {
  const folder = await store.begin(key, bytes);
  await writeFile(join(folder, "ram"), Buffer.alloc(bytes, 1));
  await store.finish(key);
  await store.find(key);
}

const keysOf = async (store: TemplateStore): Promise<string[]> => (await store.list()).map(({ key }) => key);

test("templates stay until others take their place, the least used first", async () => {
  await using folder = await tempFolder();
  const store = await storeIn(folder.path);
  await make(store, "one");
  await make(store, "two");
  await store.find("one");
  await make(store, "three");
  assert.deepEqual(new Set(await keysOf(store)), new Set(["three", "one"]));
  assert.equal(store.figures().count, 2);
  await make(store, "large", 999_999);
  assert.deepEqual(await keysOf(store), ["large"]);
  const [large] = await store.list();
  assert.deepEqual(store.figures(), { count: 1, bytes: large?.bytes });
  const again = await storeIn(folder.path);
  assert.deepEqual(again.figures(), store.figures());
  await store.drop("large");
  assert.deepEqual(store.figures(), { count: 0, bytes: 0 });
  await make(store, "large", 999_999);
  assert.equal(await store.find("two"), null);
});

test("only what is whole, and of this boot of the host, is found again", async () => {
  await using folder = await tempFolder();
  const first = await storeIn(folder.path);
  await make(first, "whole");
  await first.begin("begun", 1_000);
  await mkdir(join(folder.path, "templates", "damaged"));
  await writeFile(join(folder.path, "templates", "damaged", "template.json"), "{");
  assert.equal(await first.find("begun"), null);
  const second = await storeIn(folder.path);
  assert.deepEqual(await keysOf(second), ["whole"]);
  assert.equal(existsSync(join(folder.path, "templates", "begun")), false);
  const afterBoot = await storeIn(folder.path, { hostBootId: "another boot" });
  assert.deepEqual(await keysOf(afterBoot), []);
});

test("templates take no room that machines were promised", async () => {
  await using folder = await tempFolder();
  const room = new DiskClaims(async () => 5_000);
  const store = await storeIn(folder.path, { room });
  await store.begin("first", 3_000);
  await assert.rejects(store.begin("second", 3_000), /no 3000 bytes that no machine was promised/);
  assert.equal(existsSync(join(folder.path, "templates", "second")), false);
  await store.finish("first");
  assert.equal(room.outstandingBytes, 0, "what is here is no longer claimed");
  await store.begin("second", 3_000);
  await store.drop("second");
  assert.equal(room.outstandingBytes, 0);
  assert.deepEqual(await keysOf(store), ["first"]);
});
