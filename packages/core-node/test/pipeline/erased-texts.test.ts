import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { stateRulesOf } from "../../src/pipeline/state-rules.ts";
import { RetainedEraser } from "../../src/pipeline/writer/retained-eraser.ts";
import { evm, forget, grant, post } from "./support/signed.ts";
import { networkDefinition, StateHarness } from "./support/state-harness.ts";
import { tell } from "./support/told.ts";

/* Texts behind FORGETs: when they are erased, and that the database file has nothing of them then. */

const local = networkDefinition("local");
const rules = stateRulesOf(local, 24);
const author = evm("author of texts to be erased");
const delegate = evm("delegate who forgets");
const TIME = 1_700_000_000;
const SECRET = "what nobody may read any more";
/** Short texts stand in a page with others, long ones on pages of their own. */
const BODIES = [SECRET, `${SECRET} `.repeat(1_000)];

/** How often the files of the database have the secret. */
function traces(node: StateHarness): number {
  node.store.checkpoint("truncate");
  return [node.databasePath, `${node.databasePath}-wal`]
    .filter((path) => existsSync(path))
    .reduce((sum, path) => sum + readFileSync(path, "latin1").split(SECRET).length - 1, 0);
}

async function nodeWithTexts(): Promise<{ node: StateHarness; hashes: string[] }> {
  const node = await StateHarness.open(local);
  const notes = BODIES.map((body, n) => post(author, TIME + n, body));
  const others = Array.from({ length: 50 }, (_, n) => post(author, TIME + 10 + n, `of others ${n}`));
  await tell(node, grant(author, TIME, { address: delegate.address }), ...notes, ...others);
  return { node, hashes: notes.map((note) => note.hash) };
}

describe("the texts of forgotten messages", () => {
  test("behind a FORGET of the owner are gone from the files at once", async () => {
    const { node, hashes } = await nodeWithTexts();
    await using _ = node;
    assert.ok(traces(node) > 900);
    assert.deepEqual(await tell(node, forget(author, TIME + 100, hashes)), ["processed"]);
    assert.deepEqual(node.textsWith(SECRET), []);
    assert.equal(traces(node), 0);
  });

  test("behind a FORGET of a delegate are retained until it is final, and gone from the files then", async () => {
    const { node, hashes } = await nodeWithTexts();
    await using _ = node;
    const clock = { nowMicros: () => node.nowMicros, monotonicMs: () => Number(node.nowMicros / 1_000n) };
    const eraser = new RetainedEraser({ store: node.store, clock, rules });
    const end = forget(delegate, TIME + 100, hashes, { owner: author.address });
    assert.deepEqual(await tell(node, end), ["processed"]);
    const root = node.root();
    const forgottenMicros = node.nowMicros;
    assert.equal(node.textsWith(SECRET).length, 2);
    node.nowMicros = forgottenMicros + rules.finalityWindowMicros - 1_000_000n;
    eraser.advance();
    assert.equal(node.textsWith(SECRET).length, 2, "a second before it is final");
    assert.ok(traces(node) > 900);
    node.nowMicros += 3_600_000_000n;
    eraser.advance();
    assert.deepEqual(node.textsWith(SECRET), []);
    assert.equal(traces(node), 0);
    assert.deepEqual(
      hashes.map((hash) => node.status(hash)),
      ["forgotten", "forgotten"],
    );
    assert.equal(node.root(), root);
  });
});
