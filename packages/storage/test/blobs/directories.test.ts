import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCid } from "../../src/blobs/cids.ts";
import { listDirectory, resolvePath } from "../../src/blobs/dag-directory.ts";
import type { TreeEntry } from "../../src/blobs/tree-import.ts";
import { drain, seededBuffer, seededBytes } from "./bytes.ts";
import { blockMap, directoryNode, memoryStore, nodeBlock, rawBlock } from "./dag-fixtures.ts";
import { rejectsWith } from "./expect-code.ts";
import { type DirectoryVector, kubo } from "./kubo-vectors.ts";

function* entriesOf({ files = {}, numbered }: DirectoryVector): Generator<TreeEntry> {
  for (const [path, content] of Object.entries(files)) {
    yield {
      path,
      content:
        typeof content === "string" ? [Buffer.from(content)] : seededBytes(content.seed, content.sizeBytes),
    };
  }
  if (numbered === undefined) return;
  const prefix = numbered.under === undefined ? "" : `${numbered.under}/`;
  for (let index = 0; index < numbered.count; index += 1) {
    const name = String(index).padStart(numbered.nameLength, "n");
    yield { path: `${prefix}${name}`, content: [Buffer.from(String(index))] };
  }
}

for (const vector of kubo.directories) {
  for (const version of [0, 1] as const) {
    test(`the directory ${vector.name} has the CIDv${version} that Kubo gives it and reads back`, async () => {
      const { store } = await memoryStore();
      const { record, facts } = await store.addDirectory(entriesOf(vector), version);
      assert.equal(record.root, version === 0 ? vector.cidV0 : vector.cidV1);
      assert.equal(record.type, "dir");
      const expected = version === 0 ? vector.cumulativeSizeBytesV0 : vector.cumulativeSizeBytesV1;
      assert.equal(record.cumulativeSizeBytes, expected);
      assert.equal(facts.cumulativeBytes, expected);
      const names: string[] = [];
      const root = parseCid(record.root);
      for await (const { name } of listDirectory(root, store.blocks)) names.push(name);
      const top = new Set([...entriesOf(vector)].map(({ path }) => path.split("/")[0]));
      assert.deepEqual(names.sort(), [...top].sort());
    });
  }
}

test("a path leads through plain directories and shards", async () => {
  const vector = kubo.directories.find(({ name }) => name === "hamt-nested");
  assert.ok(vector);
  const { store } = await memoryStore();
  const { record } = await store.addDirectory(entriesOf(vector), 1);
  const root = parseCid(record.root);
  const name = "2999".padStart(60, "n");
  const cid = await resolvePath(root, `/inner//hamt/${name}`, store.blocks);
  assert.equal(String(await drain(store.read(cid.toString()))), "2999");
  assert.equal((await resolvePath(root, "", store.blocks)).toString(), record.root);
  for (const path of ["nope", "inner/nope", `inner/hamt/${name}x`, "readme.txt/x"]) {
    await rejectsWith("DAG_PATH_NOT_FOUND", () => resolvePath(root, path, store.blocks));
  }
});

test("an empty folder inside a tree, and the same tree in another order", async () => {
  const one = (await memoryStore()).store;
  const two = (await memoryStore()).store;
  const content = (): Uint8Array[] => [seededBuffer("c", 10)];
  const tree: TreeEntry[] = [
    { path: "a/b", content: content() },
    { path: "empty" },
    { path: "z", content: content() },
  ];
  const first = await one.addDirectory(tree, 1);
  const second = await two.addDirectory(tree.toReversed(), 1);
  assert.equal(first.record.root, second.record.root);
  const empty = await resolvePath(parseCid(first.record.root), "empty", one.blocks);
  assert.deepEqual(await Array.fromAsync(listDirectory(empty, one.blocks)), []);
});

test("paths that no folder can hold are refused and leave nothing", async () => {
  const content = [Buffer.from("x")];
  const bad: TreeEntry[][] = [
    [{ path: "", content }],
    [{ path: "/a", content }],
    [{ path: "a//b", content }],
    [{ path: "../a", content }],
    [{ path: "a/./b", content }],
    [{ path: "a\0", content }],
    [{ path: `${"a/".repeat(128)}b`, content }],
    [
      { path: "a", content },
      { path: "a", content },
    ],
    [
      { path: "a", content },
      { path: "a/b", content },
    ],
    [
      { path: "a/b", content },
      { path: "a", content },
    ],
    [{ path: "n".repeat(1025), content }],
  ];
  for (const entries of bad) {
    const { store, disk } = await memoryStore();
    await rejectsWith("DIRECTORY_PATH_INVALID", () => store.addDirectory(entries, 1));
    assert.deepEqual(disk.paths(), []);
  }
});

test("what is no directory is not listed", async () => {
  const file = rawBlock(Buffer.from("x"));
  const other = nodeBlock({ Data: Uint8Array.of(0xff), Links: [] });
  const root = directoryNode([{ cid: file.cid, name: "x" }]);
  const blocks = blockMap([file, other, root]);
  for (const { cid } of [file, other]) {
    await rejectsWith("DAG_NOT_DIRECTORY", () => Array.fromAsync(listDirectory(cid, blocks)));
  }
  assert.deepEqual(
    (await Array.fromAsync(listDirectory(root.cid, blocks))).map(({ name }) => name),
    ["x"],
  );
});
