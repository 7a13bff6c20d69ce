import assert from "node:assert/strict";
import { test } from "node:test";
import type { BlockSource } from "../../src/blobs/block-source.ts";
import type { Block } from "../../src/blobs/cids.ts";
import { type ArchiveOptions, archiveDag } from "../../src/blobs/directory-archive.ts";
import { tarHeader } from "../../src/blobs/tar-writer.ts";
import { drain, seededBuffer } from "./bytes.ts";
import {
  blockMap,
  bomb,
  directoryNode,
  fileNode,
  memoryStore,
  rawBlock,
  symlinkNode,
} from "./dag-fixtures.ts";
import { rejectsWith } from "./expect-code.ts";
import { kubo } from "./kubo-vectors.ts";
import { readTar } from "./tar-reader.ts";

const name = "top";
const leaf = rawBlock(Buffer.from("hello"));
const archiveOf = (top: Block, blocks: readonly Block[], options: ArchiveOptions = {}): Promise<Buffer> =>
  drain(archiveDag(top.cid, blockMap([top, ...blocks]), { name, ...options }));

test("a directory becomes the members that Kubo's archive has, in its order", async () => {
  const { store } = await memoryStore();
  const vector = kubo.directories.find((directory) => directory.name === "nested");
  assert.ok(vector);
  const nested = seededBuffer("nested", 600_000);
  const files: Record<string, Uint8Array> = {
    "a/b.txt": Buffer.from("b\n"),
    "a/b/c.bin": nested,
    "a/b/c/deep.txt": Buffer.from("deep\n"),
    "empty.txt": Buffer.from(""),
    "index.html": Buffer.from("<h1>hello</h1>\n"),
    "z.txt": Buffer.from("z"),
  };
  const entries = Object.entries(files).map(([path, bytes]) => ({ path, content: [bytes] }));
  const { record } = await store.addDirectory(entries, 1);
  assert.equal(record.root, vector.cidV1);
  const members = readTar(await drain(store.archive(record.root)));
  // `ipfs get --archive` of Kubo 0.37.0 on the same CID, listed by GNU tar.
  assert.deepEqual(
    members.map(({ path }) => path.replace(/\/$/, "").slice(record.root.length)),
    [
      "",
      "/a",
      "/a/b",
      "/a/b/c",
      "/a/b/c/deep.txt",
      "/a/b/c.bin",
      "/a/b.txt",
      "/empty.txt",
      "/index.html",
      "/z.txt",
    ],
  );
  for (const [path, bytes] of Object.entries(files)) {
    const member = members.find((one) => one.path === `${record.root}/${path}`);
    assert.deepEqual(member?.content, Buffer.from(bytes), path);
  }
  assert.deepEqual(await drain(store.archive(record.root)), await drain(store.archive(record.root)));
});

test("a file alone is an archive of one member", async () => {
  const [member] = readTar(await archiveOf(leaf, []));
  assert.deepEqual(member, {
    path: "top",
    typeFlag: "0",
    mode: 0o644,
    linkTarget: "",
    content: Buffer.from("hello"),
  });
});

test("long names, names that are not ASCII and sizes past the old limits", async () => {
  const names = ["n".repeat(100), "n".repeat(101), "é".repeat(60), "😀", "n".repeat(1000)];
  const top = directoryNode(names.map((one) => ({ cid: leaf.cid, name: one })));
  const members = readTar(await archiveOf(top, [leaf]));
  assert.deepEqual(
    new Set(members.slice(1).map(({ path }) => path)),
    new Set(names.map((one) => `top/${one}`)),
  );
  for (const length of [980, 981, 982, 983, 984, 985, 986, 987, 988, 989, 990]) {
    const [member] = readTar(
      tarHeader({
        path: "p".repeat(length),
        type: "directory",
        sizeBytes: 0,
        mode: 0o755,
        modifiedSeconds: 0,
      }),
    );
    assert.equal(member?.path.length, length);
  }
  const header = tarHeader({ path: "x", type: "file", sizeBytes: 2 ** 40, mode: 0o644, modifiedSeconds: -5 });
  assert.match(Buffer.from(header).toString("latin1"), /22 size=1099511627776\n12 mtime=-5\n/);
});

test("symbolic links inside the archive are kept, those that lead out are refused", async () => {
  const top = (target: string): Block[] => {
    const link = symlinkNode(target);
    const folder = directoryNode([{ cid: link.cid, name: "link" }]);
    return [directoryNode([{ cid: folder.cid, name: "folder" }]), folder, link];
  };
  for (const target of ["file", "../file", "./a/../b"]) {
    const [first, ...rest] = top(target);
    assert.ok(first);
    const member = readTar(await archiveOf(first, rest)).at(-1);
    assert.deepEqual([member?.typeFlag, member?.linkTarget], ["2", target]);
  }
  for (const target of ["/etc/passwd", "../../../etc/passwd", "../../..", "a\0b"]) {
    const [first, ...rest] = top(target);
    assert.ok(first);
    await rejectsWith("ARCHIVE_NAME_UNSAFE", () => archiveOf(first, rest));
  }
});

test("names that would leave the folder are refused", async () => {
  for (const bad of ["..", ".", "", "../x", "/etc/passwd", "a/b", "a\\b", "a\0"]) {
    await rejectsWith("ARCHIVE_NAME_UNSAFE", () =>
      archiveOf(directoryNode([{ cid: leaf.cid, name: bad }]), [leaf]),
    );
    await rejectsWith("ARCHIVE_NAME_UNSAFE", () => archiveOf(leaf, [], { name: bad }));
  }
});

test("a directory that repeats itself ends at the limits, without more than a block in memory", async () => {
  let below = directoryNode([{ cid: leaf.cid, name: "x" }]);
  const blocks = [leaf, below];
  for (let depth = 0; depth < 20; depth += 1) {
    below = directoryNode(["a", "b", "c", "d"].map((one) => ({ cid: below.cid, name: one })));
    blocks.push(below);
  }
  await rejectsWith("ARCHIVE_LIMIT_EXCEEDED", () => archiveOf(below, blocks, { maxEntries: 1000 }));
  await rejectsWith("ARCHIVE_LIMIT_EXCEEDED", () => archiveOf(below, blocks, { maxDepth: 10 }));
  await rejectsWith("ARCHIVE_LIMIT_EXCEEDED", () => archiveOf(below, blocks, { maxBytes: 1_000_000 }));
  const large = bomb(1000, 174, 4);
  const source: BlockSource = blockMap(large.blocks);
  let sizeBytes = 0;
  for await (const piece of archiveDag(large.root, source)) {
    sizeBytes += piece.byteLength;
    if (sizeBytes > 5_000_000) break;
  }
  assert.ok(sizeBytes > 5_000_000);
});

test("a file that lies about the size of its parts ends the archive with an error, not with a wrong size", async () => {
  const liar = fileNode([{ cid: leaf.cid, contentBytes: 6 }]);
  await rejectsWith("DAG_NODE_INVALID", () => archiveOf(liar, [leaf]));
});
