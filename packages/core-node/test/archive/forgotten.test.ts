import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  aggregate,
  amend,
  evm,
  forget,
  grant,
  post,
  type Signed,
  signed,
  solana,
} from "../pipeline/support/signed.ts";
import { networkDefinition, StateHarness } from "../pipeline/support/state-harness.ts";
import { emptyFolder, exportFolder, importLines, visibleState, visibleStateOf } from "./exchange-support.ts";
import { folderOf, verifyFolder } from "./support.ts";

const local = networkDefinition("local");
const mainnet = networkDefinition("mainnet");
const owner = evm("archive owner");
const friend = evm("archive friend");
const stranger = solana("archive stranger");
const T = 1_700_000_000;

async function nodeWith(definition: typeof local, messages: readonly Signed[]): Promise<StateHarness> {
  const node = await StateHarness.open(definition);
  for (const { text } of messages) await node.submit(text);
  await node.settle();
  return node;
}

const isSkeleton = (line: string): boolean => line.startsWith('{"forgotten_message":');
const isForget = (line: string): boolean => line.includes('"type":"FORGET"');

/** The same lines with other values in those of forgotten messages. */
const changed = (lines: readonly string[], values: Readonly<Record<string, unknown>>): string[] =>
  lines.map((line) =>
    isSkeleton(line) ? JSON.stringify({ ...(JSON.parse(line) as object), ...values }) : line,
  );

const original = post(owner, T, "original");
const note = post(owner, T, "another");
const hidden = [original, amend(owner, T + 1, original.hash, "first"), note];
const story = [...hidden, forget(owner, T + 2, [original.hash, note.hash])];

describe("a file that is not trusted", () => {
  test("gives no forgotten message: its FORGETs wait, the state root is another", async () => {
    await using node = await nodeWith(local, [...story, post(owner, T + 9, "kept")]);
    const { lines } = await exportFolder(folderOf(node));
    await using folder = await emptyFolder();
    const report = await importLines(folder.path, local, lines, { trustForgotten: false });
    const { processed, pending, rejected, forgotten, forgottenPassedOver } = report;
    assert.deepEqual([processed, pending, rejected, forgotten, forgottenPassedOver], [1, 1, 0, 0, 3]);
    const state = await visibleStateOf(folder.path, local);
    assert.notEqual(state.root, node.root());
    assert.deepEqual((await verifyFolder(folder.path, local)).problems, []);

    const again = await importLines(folder.path, local, lines);
    assert.deepEqual([again.processed, again.pending, again.forgotten], [1, 0, 3]);
    assert.deepEqual(await visibleStateOf(folder.path, local), visibleState(node));
  });

  test("cannot be told from an honest one: what nobody signed is part of the state root", async () => {
    await using node = await nodeWith(local, story);
    const { lines } = await exportFolder(folderOf(node));
    const lies = [{ parent: "ab".repeat(32), revises: true }, { owner: friend.address }];
    for (const lie of lies) {
      await using folder = await emptyFolder();
      const report = await importLines(folder.path, local, changed(lines, lie));
      const state = await visibleStateOf(folder.path, local);
      assert.notEqual(state.root, node.root(), JSON.stringify(lie));
      // Every signature holds, so a believer of such a file would have another root and never know.
      assert.ok(report.problems.every(({ reason }) => !reason.includes("sign")));
    }
  });
});

describe("a file that is trusted", () => {
  test("is believed nothing that its signatures contradict", async () => {
    await using node = await nodeWith(local, story);
    const { lines } = await exportFolder(folderOf(node));
    const lies = [
      { type: "AGGREGATE" },
      { sender: friend.address },
      { chain: "BSC" },
      { signature: `0x${"11".repeat(65)}` },
      { signature: null },
    ];
    const skeletons = lines.filter(isSkeleton);
    const forged = lies.flatMap((lie) => changed(skeletons, lie));
    await using folder = await emptyFolder();
    const report = await importLines(folder.path, local, [...forged, ...lines.filter(isForget)]);
    assert.deepEqual([report.forgotten, report.rejected, report.pending], [0, forged.length, 1]);
    for (const { reason } of report.problems) assert.match(reason, /is not signed by its sender/);
  });

  test("makes nothing forgotten that its FORGET could not have hidden", async () => {
    const mine = post(stranger, T, "mine");
    await using node = await nodeWith(local, story);
    await using victim = await nodeWith(local, [mine, forget(stranger, T + 1, [mine.hash])]);
    const [skeleton = ""] = (await exportFolder(folderOf(victim))).lines;
    const foreign = forget(owner, T + 3, [mine.hash]);
    const others = (await exportFolder(folderOf(node))).lines.filter(isForget);
    await using folder = await emptyFolder();
    const file = [skeleton, foreign.text, skeleton, ...others, skeleton];
    const report = await importLines(folder.path, local, file);
    assert.equal(report.forgotten, 0);
    const told = new Map(report.problems.map(({ line, reason }) => [line, reason]));
    assert.match(told.get(1) ?? "", /FORGET that follows it does not hide it/);
    assert.match(told.get(2) ?? "", /not authorized/);
    assert.match(told.get(3) ?? "", /FORGET that follows it does not hide it/);
    assert.match(told.get(5) ?? "", /no FORGET follows/);
    await using found = StateHarness.over(folder.path, local);
    assert.equal(found.status(mine.hash), null);
    assert.deepEqual((await verifyFolder(folder.path, local)).problems, []);
  });

  test("is believed nothing of a message that is here itself", async () => {
    await using node = await nodeWith(local, story);
    const { lines } = await exportFolder(folderOf(node));
    await using folder = await emptyFolder();
    const texts = hidden.map(({ text }) => text);
    assert.equal((await importLines(folder.path, local, texts)).processed, 3);
    const report = await importLines(folder.path, local, changed(lines, { owner: stranger.address }));
    assert.deepEqual([report.problems, report.forgotten, report.processed], [[], 0, 1]);
    assert.deepEqual(await visibleStateOf(folder.path, local), visibleState(node));
  });

  test("that is no such line is told", async () => {
    await using node = await nodeWith(local, story);
    const [line = ""] = (await exportFolder(folderOf(node))).lines;
    await using folder = await emptyFolder();
    const broken = [{ type: "LETTER" }, { size: -1 }, { time_us: 0.5 }, { parent: "x" }, { owner: 5 }];
    const report = await importLines(
      folder.path,
      local,
      broken.flatMap((values) => changed([line], values)),
    );
    assert.deepEqual(
      report.problems.map(({ reason }) => reason),
      broken.map(() => "no forgotten message"),
    );
  });
});

describe("an export that goes on after an earlier one", () => {
  test("brings what was forgotten on arrival since then", async () => {
    const element = (at: number): Signed => aggregate(owner, T + at, "k", { [`f${at}`]: at });
    const named = signed(owner, "FORGET", T + 5, { hashes: [], aggregates: ["k"] });
    await using node = await nodeWith(local, [...story, element(1), named, post(owner, T + 9, "last")]);
    const first = await exportFolder(folderOf(node));
    await using folder = await emptyFolder();
    await importLines(folder.path, local, first.lines);
    const late = [amend(owner, T + 2, original.hash, "late"), element(2), post(owner, T + 10, "new")];
    for (const { text } of late) await node.submit(text);
    const after = first.report.lastItemHash ?? "";
    const second = await exportFolder(folderOf(node), { after });
    assert.deepEqual([second.report.messages, second.report.forgotten], [1, 2]);
    const report = await importLines(folder.path, local, second.lines);
    assert.deepEqual([report.problems, report.processed, report.forgotten], [[], 1, 2]);
    assert.deepEqual(await visibleStateOf(folder.path, local), visibleState(node));
    assert.deepEqual((await verifyFolder(folder.path, local)).problems, []);
  });
});

describe("what is hidden behind the FORGET of a delegate", () => {
  const trust = grant(owner, T, { address: friend.address });
  const byFriend = forget(friend, T + 5, [original.hash]);
  const revocation = grant(owner, T + 3);

  test("travels with its texts and needs no trust, so that a revocation brings it back there too", async () => {
    await using node = await nodeWith(local, [trust, ...hidden, byFriend]);
    const { lines } = await exportFolder(folderOf(node));
    assert.ok(!lines.some(isSkeleton));
    await using folder = await emptyFolder();
    const report = await importLines(folder.path, local, lines, { trustForgotten: false });
    assert.deepEqual([report.problems, report.pending, report.forgottenPassedOver], [[], 0, 0]);
    assert.deepEqual(await visibleStateOf(folder.path, local), visibleState(node));

    await node.submit(revocation.text);
    await node.settle();
    assert.equal(node.status(original.hash), "processed");
    await importLines(folder.path, local, [revocation.text]);
    assert.deepEqual(await visibleStateOf(folder.path, local), visibleState(node));
  });

  test("travels as what is left of it once the FORGET is final", async () => {
    await using node = await nodeWith(local, [trust, ...hidden, byFriend]);
    node.nowMicros += 400n * 3_600_000_000n;
    assert.equal(node.store.eraseRetained(node.nowMicros, 100), 2);
    const { lines } = await exportFolder(folderOf(node));
    assert.equal(lines.filter(isSkeleton).length, 2);
    await using folder = await emptyFolder();
    const report = await importLines(folder.path, local, lines);
    assert.deepEqual([report.problems, report.pending, report.forgotten], [[], 0, 2]);
    assert.deepEqual(await visibleStateOf(folder.path, local), visibleState(node));
  });
});

describe("on a network without canonical order", () => {
  test("FORGETs by hash and by name find what they hid", async () => {
    // There the name of an aggregate that is forgotten must look like an item hash.
    const name = "ab".repeat(32);
    const element = (at: number): Signed => aggregate(owner, T + at, name, { [`f${at}`]: at });
    const named = signed(owner, "FORGET", T + 5, { hashes: [], aggregates: [name] });
    await using node = await nodeWith(mainnet, [...story, element(1), element(7), named, element(8)]);
    const { lines, report: exported } = await exportFolder(folderOf(node));
    assert.equal(exported.forgotten, 5);
    await using folder = await emptyFolder();
    const report = await importLines(folder.path, mainnet, lines);
    assert.deepEqual([report.problems, report.pending, report.forgotten], [[], 0, 5]);
    assert.deepEqual(await visibleStateOf(folder.path, mainnet), visibleState(node));
    assert.deepEqual((await verifyFolder(folder.path, mainnet)).problems, []);
  });
});
