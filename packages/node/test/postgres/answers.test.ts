import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createSeededRandom, shuffled } from "@twentysix/platform";
import { get, rawAccount, type SignedText, signRaw } from "../support/raw-messages.ts";
import { startTestNode, type TestNode } from "../support/test-node.ts";
import { postgresDatabase, withoutPostgres } from "./on-postgres.ts";

const PEOPLE = ["ann", "bob", "cid"].map(rawAccount);

/** Some hundred messages of most types, by a few people, about each other. */
async function corpus(): Promise<SignedText[]> {
  const made: SignedText[] = [];
  const sign = async (...parts: Parameters<typeof signRaw>): Promise<SignedText> => {
    const signed = await signRaw(...parts);
    made.push(signed);
    return signed;
  };
  for (const [who, account] of PEOPLE.entries()) {
    const at = (n: number): string => String(1_700_000_000 + who * 7 + n * 13);
    const shared = { account, channel: who === 0 ? null : `CHANNEL ${who % 2}` };
    for (let n = 0; n < 25; n += 1) {
      const tags = n % 4 === 0 ? `,"tags":["t${n % 3}","näme"]` : "";
      const members = `"type":"kind ${n % 3}","content":{"n":${n},"big":9007199254740993,"text":"é\\"${who}"${tags}}`;
      const post = await sign({ ...shared, type: "POST", members, time: at(n) });
      const amend = `"type":"amend","ref":"${post.itemHash}","content":{"n":${n},"amended":true}`;
      if (n % 3 === 0) await sign({ ...shared, type: "POST", members: amend, time: at(n + 100) });
      if (n % 5 === 4) {
        const forget = `"hashes":["${post.itemHash}"],"reason":"no more"`;
        await sign({ ...shared, type: "FORGET", members: forget, time: at(n + 200) });
      }
      if (n % 6 === 1) {
        const reply = `"type":"kind 0","ref":"not a hash ${who}","content":"plain"`;
        await sign({ ...shared, type: "POST", members: reply, time: at(n + 300) });
      }
    }
    for (let n = 0; n < 20; n += 1) {
      const members = `"key":"key ${n % 4}","content":{"field ${n % 7}":${n},"É":[${n},null],"z${who}":"${"x".repeat(n * 30)}"}`;
      await sign({ ...shared, type: "AGGREGATE", members, time: at(n + 400) });
    }
    const grant = PEOPLE.map(({ address }) => `{"address":"${address}","channels":["CHANNEL 1"]}`).join();
    const security = `"key":"security","content":{"authorizations":[${grant}]}`;
    await sign({ ...shared, type: "AGGREGATE", members: security, time: at(500) });
    const owner = PEOPLE[(who + 1) % PEOPLE.length]?.address ?? "";
    const byDelegate = '"type":"kind 1","content":"for another"';
    await sign({ account, type: "POST", owner, channel: "CHANNEL 1", members: byDelegate, time: at(600) });
    await sign({ account, type: "POST", owner, channel: "ELSEWHERE", members: byDelegate, time: at(601) });
    await sign({ ...shared, type: "FORGET", members: '"hashes":[],"aggregates":["key 3"]', time: at(602) });
  }
  return made;
}

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
    const roots = await Promise.all([embedded, served].map((node) => node.core.pipeline.stateRoot()));
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
    assert.deepEqual(await served.core.pipeline.stateRoot(), roots[0], "after a restart");
  });
});
