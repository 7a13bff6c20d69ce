import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type Client, createClient, createEvmAccount, createSolanaAccount } from "@twentysix/sdk";
import { SqliteConnection } from "@twentysix/storage";
import { runCommand, startCommand, startNode, verify } from "../support/node-process.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const key = (name: string): Uint8Array => createHash("sha256").update(`archive ${name}`).digest();
const owner = createEvmAccount({ privateKey: key("owner") });
const friend = createSolanaAccount({ privateKey: key("friend") });
const POSTS = 300;

interface ImportReport {
  readonly lines: number;
  readonly processed: number;
  readonly alreadyKnown: number;
  readonly rejected: number;
  readonly pending: number;
  readonly interrupted: boolean;
  readonly problems: readonly {
    readonly line: number;
    readonly itemHash: string | null;
    readonly reason: string;
  }[];
}

/** Messages of all types but FORGET, with contents that are not inline and files of both engines. */
async function fill(client: Client): Promise<void> {
  const shared = { account: owner, sync: true };
  const original = await client.createPost({ ...shared, type: "note", content: { body: "first" } });
  await client.amendPost({ ...shared, originalHash: original.itemHash, content: { body: "second" } });
  const authorizations = [{ address: friend.address }];
  await client.createAggregate({ ...shared, key: "security", content: { authorizations } });
  await client.createAggregate({ ...shared, key: "profile", content: { name: "ann" } });
  const byFriend = { account: friend, owner: owner.address, sync: true };
  await client.createPost({ ...byFriend, type: "note", content: { body: "on behalf" } });
  for (const engine of ["storage", "ipfs"] as const) {
    const content = { body: `${engine} "quoted" ☃ `.repeat(3_000) };
    await client.createMessage({ ...shared, type: "POST", engine, content: { type: "long", content } });
    const file = Buffer.from(`a file by ${engine} `.repeat(30_000));
    const stored = await client.storeFile({ ...shared, engine, file, ref: engine });
    await client.createMessage({ ...shared, type: "PROGRAM", content: program(stored.itemHash) });
  }
  await Promise.all(
    Array.from({ length: POSTS }, (_, n) => client.createPost({ ...shared, type: "many", content: { n } })),
  );
}

const program = (ref: string) => ({
  type: "vm-function",
  allow_amend: true,
  code: { encoding: "zip", entrypoint: "main:app", ref, use_latest: false },
  runtime: { ref, comment: "", use_latest: false },
  on: { http: true },
  environment: {},
  resources: {},
});

const QUIET = ["--log-level", "error"];

async function importInto(
  dataDir: string,
  input: string | Uint8Array,
  ...flags: string[]
): Promise<ImportReport> {
  const result = await runCommand(["import", "--data-dir", dataDir, ...QUIET, ...flags], { input });
  assert.equal(result.exitCode, 0, result.stderr);
  return JSON.parse(result.stdout) as ImportReport;
}

const linesOf = (text: string): string[] => text.split("\n").filter((line) => line !== "");
const hashOf = (line: string | undefined): string =>
  (JSON.parse(line ?? "{}") as { item_hash: string }).item_hash;

describe("messages that leave one node for another", { timeout: 300_000 }, () => {
  const folder = temporaryFolder("archive");
  const source = join(folder.path, "source");
  const file = join(folder.path, "messages.ndjson");
  let root = "";
  let exported = "";

  /** A data folder that has the files of the source, but no message. */
  const withFiles = (name: string): string => {
    const dataDir = join(folder.path, name);
    mkdirSync(dataDir);
    cpSync(join(source, "contents"), join(dataDir, "contents"), { recursive: true });
    return dataDir;
  };
  const assertSame = async (dataDir: string): Promise<void> => {
    const report = await verify(dataDir);
    assert.deepEqual(report.problems, []);
    assert.equal(report.root, root);
  };

  before(async () => {
    const node = await startNode(source);
    const client = createClient({ apiUrl: node.apiUrl });
    await fill(client);
    root = (await client.stateRoot()).root;
    const running = await runCommand(["export", "--data-dir", source, "--output", file, ...QUIET]);
    assert.equal(running.exitCode, 0, running.stderr);
    assert.equal((await node.stop()).exitCode, 0);
    exported = readFileSync(file, "utf8");
  });
  after(() => folder[Symbol.dispose]());

  test("are exported while a node runs, each line an envelope", () => {
    const lines = linesOf(exported);
    assert.equal(lines.length, POSTS + 11);
    for (const line of lines) assert.match(hashOf(line), /^([0-9a-f]{64}|Qm\w{44})$/);
    assert.equal(lines.filter((line) => line.startsWith('{"stored_content":')).length, 2);
  });

  test("give the same state root, with the folder of files copied", async () => {
    const dataDir = withFiles("whole");
    const report = await importInto(dataDir, exported);
    const { problems, ...counts } = report;
    assert.deepEqual(problems, []);
    const none = { alreadyKnown: 0, rejected: 0, pending: 0, interrupted: false };
    assert.deepEqual(counts, { lines: POSTS + 11, processed: POSTS + 11, ...none });
    await assertSame(dataDir);
    assert.equal((await importInto(dataDir, exported)).alreadyKnown, POSTS + 11);
  });

  test("in reverse order they find each other", async () => {
    const dataDir = withFiles("reversed");
    const report = await importInto(dataDir, `${linesOf(exported).reverse().join("\n")}\n`);
    assert.deepEqual([report.processed, report.pending], [POSTS + 11, 0]);
    await assertSame(dataDir);
  });

  test("without the files only those wait that need one; contents travel along", async () => {
    const dataDir = join(folder.path, "no-files");
    const report = await importInto(dataDir, exported);
    assert.deepEqual([report.processed, report.pending, report.rejected], [POSTS + 7, 4, 0]);
    await using node = await startNode(dataDir);
    const client = createClient({ apiUrl: node.apiUrl });
    const posts = await client.listPosts({ types: ["long"] });
    assert.equal(posts.items.length, 2);
    assert.ok(posts.items.every((post) => JSON.stringify(post.content).includes('\\"quoted\\" ☃')));
  });

  test("an export that was killed within a line is taken up after its last whole one", async () => {
    const lines = linesOf(exported);
    const half = join(folder.path, "half.ndjson");
    writeFileSync(half, `${lines.slice(0, 40).join("\n")}\n${lines[40]?.slice(0, 100)}`);
    const args = ["export", "--data-dir", source, "--output", half, "--after", hashOf(lines[39]), ...QUIET];
    const resumed = await runCommand(args);
    assert.equal(resumed.exitCode, 0, resumed.stderr);
    assert.equal((JSON.parse(resumed.stderr) as { messages: number }).messages, lines.length - 40);
    const dataDir = withFiles("resumed-export");
    const report = await importInto(dataDir, readFileSync(half));
    assert.deepEqual(
      report.problems.map((problem) => problem.line),
      [41],
    );
    await assertSame(dataDir);
  });

  test("an import that is told to stop says where to go on", async () => {
    const dataDir = withFiles("stopped-import");
    const lines = linesOf(exported);
    const importing = startCommand(["import", "--data-dir", dataDir, ...QUIET]);
    importing.process.stdin.write(`${lines.slice(0, 100).join("\n")}\n`);
    await untilStored(dataDir, 50);
    importing.process.kill("SIGTERM");
    assert.equal((await importing.ended).exitCode, 143, importing.output.stderr);
    const report = JSON.parse(importing.output.stdout) as ImportReport;
    assert.equal(report.interrupted, true);
    assert.ok(report.lines >= 50 && report.lines <= 100, `${report.lines} lines`);
    const rest = await importInto(dataDir, exported, "--skip-lines", String(report.lines));
    assert.equal(rest.processed + report.processed, lines.length);
    await assertSame(dataDir);
  });

  test("an import that is killed is started again from the beginning", async () => {
    const dataDir = withFiles("killed-import");
    const importing = startCommand(["import", "--data-dir", dataDir, ...QUIET]);
    importing.process.stdin.on("error", () => undefined); // It is killed while we write.
    importing.process.stdin.write(exported);
    await untilStored(dataDir, 20);
    importing.process.kill("SIGKILL");
    await importing.ended;
    const report = await importInto(dataDir, exported);
    assert.equal(report.processed + report.alreadyKnown, linesOf(exported).length);
    await assertSame(dataDir);
  });

  test("garbage is told by its line and stops nothing", async () => {
    const lines = linesOf(exported);
    const long = lines.find((line) => line.startsWith('{"stored_content":')) ?? "";
    const inline = lines.find((line) => line.includes("many")) ?? "";
    const input = Buffer.concat([
      Buffer.from("no JSON\n\n"),
      Buffer.from([0xff, 0xfe, 0x0a]),
      Buffer.from("[1,2,3]\n"),
      Buffer.from(`${inline.replace(/"item_hash":"./, '"item_hash":"x')}\n`),
      Buffer.from(`${inline.replace(/"signature":"0x../, '"signature":"0xff')}\n`),
      Buffer.from(`${long.replace("quoted", "forged")}\n`),
      Buffer.from('{"stored_content":5}\n'),
      Buffer.from(`${inline}\n`),
    ]);
    const report = await importInto(join(folder.path, "garbage"), input);
    assert.deepEqual(
      report.problems.map((problem) => problem.line),
      [1, 3, 4, 5, 6, 7, 8],
    );
    assert.match(report.problems[5]?.reason ?? "", /content .* has not this hash/);
    assert.deepEqual([report.lines, report.processed, report.rejected, report.pending], [9, 1, 7, 1]);
    assert.equal((await verify(join(folder.path, "garbage"))).ok, true);
  });

  test("a line that another program wrote anew is taken as well", async () => {
    const anew = linesOf(exported).map((line) => {
      const { stored_content: content, ...rest } = JSON.parse(line) as Record<string, unknown>;
      return JSON.stringify(content === undefined ? rest : { ...rest, stored_content: content });
    });
    const dataDir = withFiles("anew");
    assert.deepEqual((await importInto(dataDir, anew.join("\n"))).problems, []);
    await assertSame(dataDir);
  });

  test("an import stops where the disk budget ends, and says how to go on", async () => {
    const content = (n: number): string => JSON.stringify({ n, filler: "x".repeat(12 * 1024 * 1024) });
    const lines = Array.from({ length: 7 }, (_, n) => {
      const hash = createHash("sha256").update(content(n)).digest("hex");
      const signature = `0x${"11".repeat(65)}`;
      const envelope = {
        chain: "ETH",
        sender: owner.address,
        type: "POST",
        item_type: "storage",
        item_hash: hash,
      };
      return JSON.stringify({ stored_content: content(n), ...envelope, time: 1, channel: null, signature });
    });
    const dataDir = join(folder.path, "small");
    const args = ["import", "--data-dir", dataDir, "--max-disk", "64MiB", ...QUIET];
    const result = await runCommand(args, { input: lines.join("\n") });
    assert.equal(result.exitCode, 1, result.stdout);
    assert.match(result.stderr, /^twentysix import: no room is left after line 5: .*--skip-lines 5\n$/);
  });

  for (const command of ["verify", "export"]) {
    test(`${command} of a folder that has no data is one clear line, and makes none`, async () => {
      const dataDir = join(folder.path, "nothing");
      const result = await runCommand([command, "--data-dir", dataDir]);
      assert.equal(result.exitCode, 1);
      assert.match(result.stderr, /^twentysix \w+: there is no database at [^\n]*: check --data-dir\n$/);
      assert.equal(existsSync(dataDir), false);
    });
  }
});

/** Waits until the database of a process at work has so many messages. */
async function untilStored(dataDir: string, count: number): Promise<void> {
  const path = join(dataDir, "core", "messages.sqlite");
  for (;;) {
    if (existsSync(path) && countMessages(path) >= count) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function countMessages(path: string): number {
  try {
    const database = new SqliteConnection(path, { readOnly: true });
    try {
      return database.get<{ n: number }>("SELECT count(*) AS n FROM messages")?.n ?? 0;
    } finally {
      database.close();
    }
  } catch {
    return 0; // It is being made.
  }
}
