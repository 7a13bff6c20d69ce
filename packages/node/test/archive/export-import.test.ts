import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type Client, createClient, createEvmAccount, createSolanaAccount } from "@twentysix/sdk";
import { SqliteConnection } from "@twentysix/storage";
import type { ImportReport } from "../../src/index.ts";
import { giveTokens } from "../support/funds.ts";
import { runCommand, startCommand, startNode, verify } from "../support/node-process.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const key = (name: string): Uint8Array => createHash("sha256").update(`archive ${name}`).digest();
const owner = createEvmAccount({ privateKey: key("owner") });
const friend = createSolanaAccount({ privateKey: key("friend") });
const POSTS = 300;

/** Messages of all types, with contents that are not inline, files of both engines, and some that are forgotten. */
async function fill(client: Client): Promise<void> {
  await fillLive(client);
  await fillForgotten(client);
}

async function fillLive(client: Client): Promise<void> {
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

/** A post with an amend, one alone, an element by the name of its aggregate, and a file that a program still uses. */
async function fillForgotten(client: Client): Promise<void> {
  const shared = { account: owner, sync: true };
  const gone = await client.createPost({ ...shared, type: "note", content: { body: "gone" } });
  await client.amendPost({ ...shared, originalHash: gone.itemHash, content: { body: "gone as well" } });
  const alone = await client.createPost({ ...shared, type: "note", content: { body: "alone" } });
  await client.forget({ ...shared, itemHashes: [gone.itemHash, alone.itemHash] });
  await client.createAggregate({ ...shared, key: "old", content: { name: "bob" } });
  await client.createMessage({ ...shared, type: "FORGET", content: { hashes: [], aggregates: ["old"] } });
  const used = await client.storeFile({ ...shared, engine: "storage", file: Buffer.from("in use") });
  await client.createMessage({ ...shared, type: "PROGRAM", content: program(used.itemHash) });
  await client.forget({ ...shared, itemHashes: [used.itemHash] });
}

/** What `fill` comes to. */
const MESSAGES = POSTS + 16;
const FORGOTTEN = 5;
const FILES = 3;
const PARTS = 7;

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

const TRUST = "--trust-forgotten";
const linesOf = (text: string): string[] => text.split("\n").filter((line) => line !== "");
const isMessage = (line: string): boolean => "item_hash" in (JSON.parse(line) as object);
const hashOf = (line: string | undefined): string =>
  (JSON.parse(line ?? "{}") as { item_hash: string }).item_hash;

describe("messages that leave one node for another", { timeout: 300_000 }, () => {
  const folder = temporaryFolder("archive");
  const source = join(folder.path, "source");
  const file = join(folder.path, "messages.ndjson");
  let root = "";
  let answers: Record<string, unknown> = {};
  let exported = "";

  const folderFor = (name: string): string => join(folder.path, name);
  const assertSame = async (dataDir: string): Promise<void> => {
    const report = await verify(dataDir);
    assert.deepEqual(report.problems, []);
    assert.equal(report.root, root);
  };

  before(async () => {
    await using node = await startNode(source);
    const client = createClient({ apiUrl: node.apiUrl });
    await giveTokens(node, { [owner.address]: 10_000 });
    await fill(client);
    root = (await client.stateRoot()).root;
    answers = await answersOf(node.apiUrl);
    const running = await runCommand(["export", "--data-dir", source, "--output", file, ...QUIET]);
    assert.equal(running.exitCode, 0, running.stderr);
    const { messages, files, forgotten } = JSON.parse(running.stderr) as Record<string, number>;
    assert.deepEqual([messages, files, forgotten], [MESSAGES, FILES, FORGOTTEN]);
    assert.equal((await node.stop()).exitCode, 0);
    exported = readFileSync(file, "utf8");
  });
  after(() => folder[Symbol.dispose]());

  test("are exported while a node runs: each line with an item hash is an envelope", () => {
    const lines = linesOf(exported);
    const messages = lines.filter(isMessage);
    assert.equal(messages.length, MESSAGES);
    for (const line of messages) assert.match(hashOf(line), /^([0-9a-f]{64}|Qm\w{44})$/);
    const count = (key: string): number => lines.filter((line) => line.startsWith(`{"${key}":`)).length;
    assert.deepEqual([count("stored_content"), count("stored_file")], [2, PARTS]);
    assert.equal(count("forgotten_message"), FORGOTTEN);
    assert.equal(lines.length, MESSAGES + PARTS + FORGOTTEN);
  });

  test("give the same state root and the same answers", async () => {
    const dataDir = folderFor("whole");
    const report = await importInto(dataDir, exported, TRUST);
    const { problems, ...counts } = report;
    assert.deepEqual(problems, []);
    const none = { alreadyKnown: 0, rejected: 0, pending: 0, forgottenPassedOver: 0, interrupted: false };
    const all = { lines: linesOf(exported).length, processed: MESSAGES, files: FILES, forgotten: FORGOTTEN };
    assert.deepEqual(counts, { ...all, ...none });
    await assertSame(dataDir);
    assert.equal((await importInto(dataDir, exported, TRUST)).alreadyKnown, MESSAGES);
    await using node = await startNode(dataDir);
    assert.deepEqual(await answersOf(node.apiUrl), answers);
  });

  test("pass from standard output to standard input", async () => {
    const written = await runCommand(["export", "--data-dir", source, ...QUIET]);
    assert.equal(written.stdout, exported);
    const dataDir = folderFor("piped");
    assert.equal((await importInto(dataDir, written.stdout, TRUST)).processed, MESSAGES);
    await assertSame(dataDir);
  });

  test("forgotten ones need trust: without it their FORGETs wait, and with it they are found", async () => {
    const dataDir = folderFor("untrusting");
    const report = await importInto(dataDir, exported);
    // A FORGET by name stands over an aggregate that is not there; the program waits for its file.
    assert.deepEqual([report.processed, report.pending, report.forgotten], [MESSAGES - 3, 3, 0]);
    assert.equal(report.forgottenPassedOver, FORGOTTEN);
    const { problems, root: another } = await verify(dataDir);
    assert.deepEqual(problems, []);
    assert.notEqual(another, root);
    const again = await importInto(dataDir, exported, TRUST);
    assert.deepEqual([again.processed, again.pending, again.forgotten], [3, 0, FORGOTTEN]);
    await assertSame(dataDir);
  });

  test("in reverse order they find each other once their files and what was forgotten come", async () => {
    const dataDir = folderFor("reversed");
    const reversed = linesOf(exported).filter(isMessage).reverse();
    const first = await importInto(dataDir, reversed.join("\n"), TRUST);
    assert.ok(first.processed > POSTS && first.pending > 0);
    const second = await importInto(dataDir, exported, TRUST);
    assert.deepEqual([second.processed, second.pending], [MESSAGES - first.processed, 0]);
    await assertSame(dataDir);
  });

  test("without the files only those wait that need one; contents travel along", async () => {
    const plain = await runCommand(["export", "--data-dir", source, "--no-files", ...QUIET]);
    assert.ok(!plain.stdout.includes("stored_file"));
    const dataDir = folderFor("no-files");
    const report = await importInto(dataDir, plain.stdout, TRUST);
    assert.deepEqual([report.processed, report.pending, report.rejected], [MESSAGES - 4, 4, 0]);
    const copied = folderFor("copied-files");
    mkdirSync(copied);
    cpSync(join(source, "contents"), join(copied, "contents"), { recursive: true });
    assert.equal((await importInto(copied, plain.stdout, TRUST)).pending, 0);
    await assertSame(copied);
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
    const dataDir = folderFor("resumed-export");
    const report = await importInto(dataDir, readFileSync(half), TRUST);
    assert.deepEqual(
      report.problems.map((problem) => problem.line),
      [41],
    );
    assert.equal(report.processed, MESSAGES);
    await assertSame(dataDir);
  });

  test("an import that is told to stop says where to go on", async () => {
    const dataDir = folderFor("stopped-import");
    const lines = linesOf(exported);
    const importing = startCommand(["import", "--data-dir", dataDir, TRUST, ...QUIET]);
    importing.process.stdin.write(`${lines.slice(0, 100).join("\n")}\n`);
    await untilStored(dataDir, 50);
    importing.process.kill("SIGTERM");
    assert.equal((await importing.ended).exitCode, 143, importing.output.stderr);
    const report = JSON.parse(importing.output.stdout) as ImportReport;
    assert.equal(report.interrupted, true);
    assert.ok(report.lines >= 50 && report.lines <= 100, `${report.lines} lines`);
    const rest = await importInto(dataDir, exported, TRUST, "--skip-lines", String(report.lines));
    assert.equal(rest.processed + report.processed, MESSAGES);
    await assertSame(dataDir);
  });

  test("an import that is killed is started again from the beginning", async () => {
    const dataDir = folderFor("killed-import");
    const importing = startCommand(["import", "--data-dir", dataDir, TRUST, ...QUIET]);
    importing.process.stdin.on("error", () => undefined); // It is killed while we write.
    importing.process.stdin.write(exported);
    await untilStored(dataDir, 20);
    importing.process.kill("SIGKILL");
    await importing.ended;
    const report = await importInto(dataDir, exported, TRUST);
    assert.equal(report.processed + report.alreadyKnown, MESSAGES);
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
      const {
        stored_content: content,
        stored_file: file,
        ...rest
      } = JSON.parse(line) as Record<string, unknown>;
      const moved = { ...(content === undefined ? {} : { stored_content: content }) };
      return JSON.stringify({ ...rest, ...moved, ...(file === undefined ? {} : { stored_file: file }) });
    });
    const dataDir = folderFor("anew");
    assert.deepEqual((await importInto(dataDir, anew.join("\n"), TRUST)).problems, []);
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

/** What a node answers to anybody, without what is local to it: when it heard of things. */
async function answersOf(apiUrl: string): Promise<Record<string, unknown>> {
  const paths = [
    "/api/v0/messages.json?pagination=0",
    "/api/v0/messages.json?pagination=0&msgStatuses=forgotten",
    "/api/v1/posts.json?pagination=0",
    "/api/v0/posts.json?pagination=0",
    "/api/v0/aggregates.json?pagination=100",
    `/api/v0/addresses/${owner.address}/files`,
    "/api/v1/addresses/stats.json",
    "/api/v0/channels/list.json",
    "/api/v1/state-root",
  ];
  const answers: Record<string, unknown> = {};
  for (const path of paths) answers[path] = await answerOf(apiUrl, path);
  const lists = [answers[paths[0] ?? ""], answers[paths[1] ?? ""]] as { messages: { item_hash: string }[] }[];
  for (const { item_hash: hash } of lists.flatMap(({ messages }) => messages)) {
    answers[hash] = await answerOf(apiUrl, `/api/v0/messages/${hash}`);
  }
  const { files } = answers[paths[5] ?? ""] as { files: { file_hash: string }[] };
  for (const { file_hash: name } of files) {
    const response = await fetch(`${apiUrl}/api/v0/storage/raw/${name}`);
    answers[name] = createHash("sha256")
      .update(await response.bytes())
      .digest("hex");
  }
  return answers;
}

async function answerOf(apiUrl: string, path: string): Promise<unknown> {
  const response = await fetch(apiUrl + path);
  assert.equal(response.status, 200, path);
  const { reception_time: _local, ...answer } = (await response.json()) as Record<string, unknown>;
  return answer;
}

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
