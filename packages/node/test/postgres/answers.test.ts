import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createSeededRandom, shuffled } from "@twentysix/platform";
import type { StateRoot } from "@twentysix/storage";
import { postgresDatabase, withoutPostgres } from "@twentysix/storage/test-postgres";
import { get, type SignedText } from "../support/raw-messages.ts";
import { startTestNode, type TestNode } from "../support/test-node.ts";
import { corpus, PEOPLE } from "./corpus.ts";

async function submit(node: TestNode, messages: readonly SignedText[]): Promise<void> {
  await Promise.all(
    messages.map(({ envelope, itemHash }) =>
      node.core.pipeline.submit(envelope, { origin: "p2p" }).then(
        () => undefined,
        (error: unknown) => assert.fail(`${itemHash}: ${error}`),
      ),
    ),
  );
}

/** Everything that is asked of both. */
function questions(messages: readonly SignedText[]): string[] {
  const [ann, bob] = PEOPLE.map(({ address }) => address);
  const lists = [
    "messages.json?pagination=500",
    "messages.json?pagination=7&page=3&sortOrder=1",
    "messages.json?msgTypes=POST,FORGET&channels=CHANNEL%201&pagination=300",
    `messages.json?addresses=${ann},${bob}&contentTypes=kind%200&pagination=300`,
    "messages.json?tags=t1,n%C3%A4me&pagination=300",
    `messages.json?refs=not%20a%20hash%201&pagination=300`,
    "messages.json?contentKeys=key%201&startDate=1700005300&endDate=1700005500&pagination=300",
    "messages.json?sortBy=tx-time&pagination=20",
    "messages.json?msgStatuses=forgotten&pagination=300",
    "messages.json?contentFormat=headers&pagination=50",
    "posts.json?pagination=300",
    `posts.json?addresses=${ann}&types=kind%200,kind%201&pagination=300`,
    "posts.json?tags=t0&sortOrder=1&pagination=300",
    `aggregates/${ann}.json?with_info=true`,
    `aggregates/${bob}.json?keys=key%200,security`,
    "aggregates.json?pagination=300",
    "channels/list.json",
    `addresses/${ann}/post_types`,
    `addresses/${ann}/channels`,
    `addresses/stats.json?addresses[]=${ann}&addresses[]=${bob}`,
    `authorizations/granted/${ann}.json`,
    `authorizations/received/${bob}.json`,
    "info/public.json",
  ].map((path) => `/api/v0/${path}`);
  const single = messages.flatMap(({ itemHash }, n) =>
    n % 4 === 0
      ? ["", "/content"].map((part) => `/api/v0/messages/${itemHash}${part}`)
      : [`/api/v0/messages/${itemHash}`],
  );
  return [
    ...lists,
    "/api/v1/posts.json?pagination=300",
    "/api/v1/addresses/stats.json?sortBy=post",
    ...single,
  ];
}

/** When a node was told is its own. */
const withoutLocal = (text: string): string =>
  text.replaceAll(/"(reception_time|forgotten_at)":("[^"]*"|[0-9.]+)/g, '"$1":"local"');

/** How far its log has come is each node's own. */
async function rootOf(node: TestNode): Promise<Omit<StateRoot, "seq">> {
  const { seq: _seq, ...root } = await node.core.pipeline.stateRoot();
  return root;
}

describe("onPostgres", { skip: withoutPostgres }, () => {
  test("a node answers what one with the database inside of it does, and has the same state", async (t) => {
    const messages = await corpus();
    const embedded = await startTestNode();
    t.after(() => embedded.remove());
    const served = await startTestNode({ database: postgresDatabase() });
    t.after(() => served.remove());
    assert.ok(messages.length > 150, `${messages.length} messages`);
    const order = shuffled(createSeededRandom(26), messages);
    await submit(embedded, messages);
    await submit(served, order);
    const roots = await Promise.all([embedded, served].map(rootOf));
    assert.deepEqual(roots[1], roots[0], "the state does not depend on the engine, nor on the order");
    let compared = 0;
    for (const path of questions(messages)) {
      const [expected, found] = await Promise.all([embedded, served].map((node) => get(node, path)));
      assert.equal(found?.status, expected?.status, path);
      if (found?.status === 200) compared += found.text.length;
      assert.equal(withoutLocal(found?.text ?? ""), withoutLocal(expected?.text ?? ""), path);
    }
    assert.ok(compared > 500_000, `${compared} characters were compared`);
    await served.restart();
    assert.deepEqual(await rootOf(served), roots[0], "after a restart");
  });
});
