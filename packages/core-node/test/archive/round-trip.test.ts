import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createSeededRandom, shuffled } from "@twentysix/platform";
import fc from "fast-check";
import { type Move, messagesOf, moves } from "../pipeline/support/adversarial.ts";
import { scenarios } from "../pipeline/support/scenarios.ts";
import { aggregate, evm, forget, post, type Signed, signed } from "../pipeline/support/signed.ts";
import { networkDefinition, StateHarness } from "../pipeline/support/state-harness.ts";
import { emptyFolder, exportFolder, importLines, visibleState, visibleStateOf } from "./exchange-support.ts";
import { folderOf, holdFiles, storedPost, verifyFolder } from "./support.ts";

/** Every scenario with accounts of its own, entangled random sets, FORGETs by name, contents that are files. */
function corpus(seed: number): {
  readonly messages: readonly Signed[];
  readonly contents: readonly string[];
} {
  const count = scenarios(0).length;
  const stories = Array.from(
    { length: count },
    (_, n) => scenarios(seed * 1_000 + n)[n]?.messages ?? [],
  ).flat();
  const sets: Move[][] = fc.sample(moves(6, 12), { numRuns: 12, seed });
  const entangled = sets.flatMap((set, salt) => messagesOf(set, salt));
  const writer = evm("of long posts");
  const stored = [1, 2, 3].map((n) => storedPost(writer, 1_700_000_000 + n, `long ${n}`));
  const element = (at: number, content: object): Signed =>
    aggregate(writer, 1_700_000_000 + at, "named", content);
  const named = signed(writer, "FORGET", 1_700_000_005, { hashes: [], aggregates: ["named"] });
  const first = stored[0]?.message.hash ?? "";
  return {
    messages: [
      ...stories,
      ...entangled,
      ...stored.map(({ message }) => message),
      forget(writer, 1_700_000_009, [first]),
      ...[element(1, { a: 1 }), element(2, { b: 2 }), named, element(6, { a: 6 })],
    ],
    contents: stored.map(({ content }) => content),
  };
}

async function filled(name: "local" | "mainnet", seed: number): Promise<StateHarness> {
  const node = await StateHarness.open(networkDefinition(name));
  const { messages, contents } = corpus(seed);
  await holdFiles(node, contents);
  const order = shuffled(createSeededRandom(seed), messages);
  for (let start = 0; start < order.length; start += 20) {
    await node.submit(...order.slice(start, start + 20).map((message) => message.text));
  }
  await node.settle();
  return node;
}

test("keys of an exported file that a sender put into an envelope travel as they are", async () => {
  const local = networkDefinition("local");
  const author = evm("of envelopes");
  const keys = ["stored_content", "stored_file", "forgotten_message"];
  const messages = keys.map((key, n) => {
    const { hash, text } = post(author, 1_700_000_000 + n, key);
    return { hash, text: `{${JSON.stringify(key)}:"mine",${text.slice(1)}` };
  });
  await using node = await StateHarness.open(local);
  for (const { text } of messages) await node.submit(text);
  const { lines } = await exportFolder(folderOf(node));
  assert.deepEqual(
    lines,
    messages.map(({ text }) => text),
  );
  await using folder = await emptyFolder();
  assert.deepEqual((await importLines(folder.path, local, lines)).problems, []);
  assert.deepEqual(await visibleStateOf(folder.path, local), visibleState(node));
});

describe("what a node exports another one imports, with all that was forgotten", () => {
  for (const seed of [1, 2, 3]) {
    test(`to the same state and the same answers (seed ${seed})`, async () => {
      const local = networkDefinition("local");
      await using node = await filled("local", seed);
      const { lines, report } = await exportFolder(folderOf(node));
      assert.ok(report.forgotten > 10, `${report.forgotten} forgotten`);
      await using folder = await emptyFolder();
      const imported = await importLines(folder.path, local, lines);
      // A text that is retained may be that of a message that never had the right to be accepted.
      for (const { itemHash, reason } of imported.problems) {
        assert.match(reason, /^Permission denied/);
        assert.equal(node.status(itemHash ?? ""), "forgotten");
      }
      assert.deepEqual(await visibleStateOf(folder.path, local), visibleState(node));
      const verified = await verifyFolder(folder.path, local);
      assert.deepEqual(verified.problems, []);
      assert.equal(verified.root, node.root());
    });
  }
});
