import assert from "node:assert/strict";
import { rm, writeFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { decodeItemHash } from "@twentysix/protocol";
import {
  evm,
  forget,
  post,
  program,
  type Signed,
  signed,
  solana,
  store,
} from "../pipeline/support/signed.ts";
import { networkDefinition, StateHarness, testFile } from "../pipeline/support/state-harness.ts";
import {
  type Exported,
  emptyFolder,
  exportFolder,
  importLines,
  visibleState,
  visibleStateOf,
} from "./exchange-support.ts";
import { blobPath, folderOf, holdFiles, openContents, verifyFolder } from "./support.ts";

const local = networkDefinition("local");
const owner = evm("archive files");
const other = solana("archive machines");
const T = 1_700_000_000;
/** Three parts. */
const LONG = "a long file ".repeat(40_000);

interface FileRow {
  readonly name: string;
  readonly size: number;
  readonly type: number;
  readonly sha256: string | null;
  readonly cid: string | null;
}

function filesOf(node: StateHarness): FileRow[] {
  const rows = node.store.session.connection.all<{ hash: Uint8Array } & Omit<FileRow, "name">>(
    "SELECT hash, size, type, lower(hex(sha256)) AS sha256, lower(hex(cid)) AS cid FROM files ORDER BY hash",
  );
  return rows.map(({ hash, ...row }) => ({ name: decodeItemHash(hash), ...row }));
}

/** A STORE for each file that a node holds. */
function storesOf(node: StateHarness): Signed[] {
  return filesOf(node).map(({ name }, n) =>
    signed(owner, "STORE", T + n, {
      item_type: name.length === 64 ? "storage" : "ipfs",
      item_hash: name,
    }),
  );
}

/** A node with files and a directory under all kinds of names, an empty one and a long one among them. */
async function nodeWithFiles(): Promise<StateHarness> {
  const node = await StateHarness.open(local);
  await holdFiles(node, ["", LONG]);
  for (const { text } of storesOf(node)) await node.submit(text);
  return node;
}

const isPart = (line: string): boolean => line.startsWith('{"stored_file":');
interface Part {
  readonly stored_file: string;
  readonly form: string;
  readonly part: number;
  readonly base64: string;
}
const partOf = (line: string | undefined): Part => JSON.parse(line ?? "{}") as Part;
const longParts = ({ lines }: Exported): string[] =>
  lines.filter((line) => isPart(line) && partOf(line).stored_file === LONG_NAME);

const LONG_NAME = await (async () => {
  await using node = await StateHarness.open(local);
  await holdFiles(node, [LONG]);
  return filesOf(node).find(({ size }) => size === LONG.length)?.name ?? "";
})();

describe("files that messages name", () => {
  test("travel along: bytes as they are, directories as their blocks", async () => {
    await using node = await nodeWithFiles();
    // As a node that runs has it.
    await using _open = await openContents(folderOf(node));
    const { lines, report } = await exportFolder(folderOf(node));
    assert.deepEqual([report.files, report.filesMissing], [9, 0]);
    assert.ok(lines.every((line) => Buffer.byteLength(line) < 300_000));
    const forms = new Set(lines.filter(isPart).map((line) => partOf(line).form));
    assert.deepEqual([...forms].sort(), ["bytes", "car"]);

    await using folder = await emptyFolder();
    const imported = await importLines(folder.path, local, lines);
    assert.deepEqual(
      [imported.problems, imported.processed, imported.pending, imported.files],
      [[], 9, 0, 9],
    );
    assert.deepEqual(await visibleStateOf(folder.path, local), visibleState(node));
    await using copy = StateHarness.over(folder.path, local);
    assert.deepEqual(filesOf(copy), filesOf(node));
    // Reads every file and holds it against all its names.
    assert.deepEqual((await verifyFolder(folder.path, local)).problems, []);
    assert.equal((await importLines(folder.path, local, lines)).files, 0);
  });

  test("can be left out, and are sent by themselves later", async () => {
    await using node = await nodeWithFiles();
    const without = await exportFolder(folderOf(node), { withFiles: false });
    assert.ok(!without.lines.some(isPart));
    await using folder = await emptyFolder();
    const first = await importLines(folder.path, local, without.lines);
    assert.deepEqual([first.processed, first.pending], [0, 9]);
    const files = (await exportFolder(folderOf(node))).lines.filter(isPart);
    const second = await importLines(folder.path, local, files);
    assert.deepEqual([second.files, second.processed, second.pending], [9, 9, 0]);
  });

  test("go once, however many messages name them, and not again with a later export", async () => {
    await using node = await nodeWithFiles();
    await node.submit(store(owner, T + 50, LONG_NAME).text);
    const { report } = await exportFolder(folderOf(node));
    assert.equal(report.files, 9);
    await node.submit(store(owner, T + 51, LONG_NAME).text, post(owner, T + 52, "later").text);
    const later = await exportFolder(folderOf(node), { after: report.lastItemHash ?? "" });
    assert.deepEqual([later.report.messages, later.report.files], [2, 0]);
  });

  test("of a forgotten STORE go for the machine that still uses them", async () => {
    await using node = await StateHarness.open(local);
    await holdFiles(node);
    const [used, unused] = [store(owner, T, testFile(1).hash), store(owner, T, testFile(2).hash)];
    const machine = program(other, T + 1, used.hash);
    for (const { text } of [used, unused, machine, forget(owner, T + 2, [used.hash, unused.hash])]) {
      await node.submit(text);
    }
    const { lines } = await exportFolder(folderOf(node));
    assert.deepEqual(
      lines.filter(isPart).map((line) => partOf(line).stored_file),
      [testFile(1).hash],
    );
    await using folder = await emptyFolder();
    assert.deepEqual((await importLines(folder.path, local, lines)).problems, []);
    assert.deepEqual(await visibleStateOf(folder.path, local), visibleState(node));
    assert.deepEqual((await verifyFolder(folder.path, local)).problems, []);
  });

  test("that are gone or damaged are counted and never sent as whole", async () => {
    await using node = await nodeWithFiles();
    const folder = folderOf(node);
    await rm(blobPath(folder, testFile(1).hash));
    await writeFile(blobPath(folder, LONG_NAME), `${LONG.slice(1)}!`);
    const { lines, report } = await exportFolder(folder);
    assert.deepEqual([report.files, report.filesMissing, report.messages], [7, 2, 9]);
    await using copy = await emptyFolder();
    const imported = await importLines(copy.path, local, lines);
    assert.deepEqual([imported.processed, imported.pending, imported.files], [7, 2, 7]);
    assert.match(imported.problems[0]?.reason ?? "", /is cut off/);
  });
});

describe("a file that comes in parts", () => {
  type Case = readonly [lines: readonly string[], reason: RegExp];

  /** Imports all of these, one after the other and a message behind them; each is told, and nothing is left. */
  async function assertRefused(cases: readonly Case[]): Promise<void> {
    await using folder = await emptyFolder();
    const lines = [...cases.flatMap(([parts]) => parts), post(owner, T, "after them").text];
    const report = await importLines(folder.path, local, lines);
    assert.deepEqual([report.processed, report.files], [1, 0], "what follows is taken");
    let start = 1;
    for (const [parts, reason] of cases) {
      const end = start + parts.length;
      // What is cut off is told by the line that does not go on with it.
      const told = report.problems.filter(({ line }) => line >= start && line <= end);
      assert.ok(
        told.some((problem) => reason.test(problem.reason)),
        `${reason}: ${told.map((problem) => problem.reason).join("; ")}`,
      );
      start = end;
    }
    await using contents = await openContents(folder.path);
    assert.equal(contents.usage.usedBytes, 0);
  }

  test("is held against its name, and must be whole", async () => {
    await using node = await nodeWithFiles();
    const parts = longParts(await exportFolder(folderOf(node)));
    assert.equal(parts.length, 3);
    const [first = "", second = "", third = ""] = parts;
    const changed = second.replace('"base64":"', '"base64":"AAAA').replace(/.{4}"}$/, '"}');
    await assertRefused([
      [[first, changed, third], /is not taken: .* has not the hash/],
      [parts.map((line) => line.replace(LONG_NAME, "ab".repeat(32))), /is not taken: .* has not the hash/],
      [[first, second], /is cut off/],
      [[first, third, second], /part 2 of .* does not follow/],
      [[first.replace('"part":0', '"part":-1')], /no part of a file/],
      [[first.replace('"bytes"', '"zip"')], /no part of a file/],
      [[first.replace('"base64":"', '"base64":"*')], /no part of a file/],
      [[first, second, first, second], /is cut off/],
    ]);
    await assertRefused([[[second, third], /part 1 of .* does not follow/]]);
  });

  test("of which blocks are wrong or missing is refused", async () => {
    await using node = await nodeWithFiles();
    const { lines } = await exportFolder(folderOf(node));
    const car = lines.find((line) => isPart(line) && partOf(line).form === "car") ?? "";
    const whole = Buffer.from(partOf(car).base64, "base64");
    const withBytes = (bytes: Buffer): string =>
      JSON.stringify({ ...partOf(car), base64: bytes.toString("base64"), is_last: true });
    const damaged = Buffer.from(whole);
    damaged.writeUInt8((damaged.at(-1) ?? 0) ^ 1, damaged.length - 1);
    await assertRefused([
      [[withBytes(damaged)], /is not taken/],
      [[withBytes(whole.subarray(0, -10))], /is not taken/],
      [[withBytes(Buffer.alloc(0))], /is not taken/],
    ]);
  });

  test("begins again where an import was interrupted in it", async () => {
    await using node = await nodeWithFiles();
    const exported = await exportFolder(folderOf(node));
    const at = exported.lines.indexOf(longParts(exported)[1] ?? "");
    await using folder = await emptyFolder();
    const first = await importLines(folder.path, local, exported.lines, { endAfter: at });
    assert.equal(first.interrupted, true);
    assert.ok(first.lines < at, `${first.lines} lines are done`);
    const rest = await importLines(folder.path, local, exported.lines, { skipLines: first.lines });
    assert.deepEqual([rest.problems, rest.lines, rest.pending], [[], exported.lines.length, 0]);
    assert.deepEqual(await visibleStateOf(folder.path, local), visibleState(node));
  });
});
