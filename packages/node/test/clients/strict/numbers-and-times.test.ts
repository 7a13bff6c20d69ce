import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { get, getJson, post, putRaw, rawAccount, signRaw } from "../../support/raw-messages.ts";
import { startTestNode } from "../../support/test-node.ts";
import { openFrames } from "../../support/text-frames.ts";

const node = await startTestNode();
after(() => node.remove());

/** What a reader that goes through doubles, or writes its own form of a number, would change. */
const HARD =
  '{"big":9007199254740993,"huge":1152921504606846976123,"low":-9223372036854775809,"one":1.10,"e":1E5}';

async function textOf(path: string): Promise<string> {
  const { status, text } = await get(node, path);
  assert.equal(status, 200, `${path}: ${text}`);
  return text;
}

describe("numbers of contents come back as they were signed", () => {
  test("in lists, alone, in posts and by the content route", async () => {
    const account = rawAccount("numbers");
    await using frames = await openFrames(`${node.wsUrl}/api/ws0/messages?addresses=${account.address}`);
    const { itemHash, content } = await putRaw(node, {
      account,
      type: "POST",
      members: `"type":"hard","content":${HARD}`,
    });
    for (const path of [
      `/api/v0/messages.json?hashes=${itemHash}`,
      `/api/v0/messages/page/1.json?hashes=${itemHash}`,
      `/api/v0/messages.json?hashes=${itemHash}&cursor=`,
      `/api/v0/messages.json?hashes=${itemHash}&pagination=0`,
      `/api/v0/messages/${itemHash}`,
    ]) {
      assert.ok((await textOf(path)).includes(`"content":${content}`), path);
    }
    for (const path of [
      `/api/v0/posts.json?hashes=${itemHash}`,
      `/api/v0/posts.json?hashes=${itemHash}&cursor=`,
      `/api/v1/posts.json?hashes=${itemHash}`,
    ]) {
      assert.ok((await textOf(path)).includes(`"content":${HARD}`), path);
    }
    assert.equal(await textOf(`/api/v0/messages/${itemHash}/content`), HARD);
    assert.ok((await frames.next()).includes(`"content":${content}`), "live");
    await using later = await openFrames(`${node.wsUrl}/api/ws0/messages?addresses=${account.address}`);
    assert.ok((await later.next()).includes(`"content":${content}`), "history");
  });

  test("in aggregates, merged or not", async () => {
    const account = rawAccount("aggregate numbers");
    const members = `"key":"k","content":{"first":${HARD},"second":1.10}`;
    await putRaw(node, { account, type: "AGGREGATE", members });
    await putRaw(node, {
      account,
      type: "AGGREGATE",
      members: '"key":"k","content":{"second":18446744073709551615}',
      time: "1700000001.5",
    });
    const single = `/api/v0/aggregates/${account.address}.json`;
    for (const path of [
      single,
      `${single}?keys=k&value_only=true`,
      `${single}?keys=k&with_info=true`,
      `/api/v0/aggregates?addresses=${account.address}`,
    ]) {
      const text = await textOf(path);
      assert.ok(text.includes(`"first":${HARD}`), text);
      assert.ok(text.includes('"second":18446744073709551615'), text);
    }
  });

  test("in a rejected message", async () => {
    const account = rawAccount("subscription numbers");
    const members = `"type":"amend","content":${HARD}`;
    const { envelope, itemHash } = await signRaw({ account, type: "POST", members });
    const answer = await post(node, "/api/v0/messages", `{"sync":true,"message":${envelope}}`);
    assert.equal(answer.status, 422);
    const text = await textOf(`/api/v0/messages/${itemHash}`);
    assert.ok(text.includes(JSON.stringify(HARD).slice(1, -1)), text);
  });
});

describe("times", () => {
  for (const given of ["1652794362.573859", "1652794362.000001", "1652794362", "9223372035.999999"]) {
    const shown = Number(given);
    test(`${given} keeps its microseconds everywhere`, async () => {
      const account = rawAccount(`time ${given}`);
      const { itemHash } = await putRaw(node, {
        account,
        type: "POST",
        members: '"type":"timed","content":{}',
        time: given,
      });
      type Item = { time: unknown };
      const { messages } = await getJson<{ messages: Item[] }>(
        node,
        `/api/v0/messages.json?hashes=${itemHash}`,
      );
      const { message } = await getJson<{ message: Item }>(node, `/api/v0/messages/${itemHash}`);
      const { posts } = await getJson<{ posts: Item[] }>(node, `/api/v0/posts.json?hashes=${itemHash}`);
      assert.deepEqual([messages[0]?.time, message.time, posts[0]?.time], [shown, shown, shown]);
    });
  }

  test("a microsecond apart are two places for cursors and for bounds", async () => {
    const account = rawAccount("neighbours");
    const hashes: string[] = [];
    for (const [index, time] of ["1600000000.000001", "1600000000.000002", "1600000000.000003"].entries()) {
      const members = `"type":"near","content":${index}`;
      hashes.push((await putRaw(node, { account, type: "POST", members, time })).itemHash);
    }
    type Page = { messages: { item_hash: string }[]; next_cursor: string | null };
    const walked: string[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const path = `/api/v0/messages.json?addresses=${account.address}&sortOrder=1&pagination=1&cursor=${cursor}`;
      const page: Page = await getJson<Page>(node, path);
      walked.push(...page.messages.map((message) => message.item_hash));
      cursor = page.next_cursor;
    }
    assert.deepEqual(walked, hashes);
    const { messages } = await getJson<Page>(
      node,
      `/api/v0/messages.json?addresses=${account.address}&startDate=1600000000.000002&endDate=1600000000.000003`,
    );
    assert.deepEqual(
      messages.map((message) => message.item_hash),
      hashes.slice(1, 2),
    );
  });

  test("reception ends in Z; posts v1 and aggregates in +00:00", async () => {
    const account = rawAccount("dates");
    const { itemHash } = await putRaw(node, {
      account,
      type: "POST",
      members: '"type":"d","content":{}',
      time: "1704067200",
    });
    await putRaw(node, {
      account,
      type: "AGGREGATE",
      members: '"key":"k","content":{}',
      time: "1704067200.25",
    });
    const view = await getJson(node, `/api/v0/messages/${itemHash}`);
    assert.match(String(view.reception_time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    type Dated = { created: string; last_updated: string };
    const { posts } = await getJson<{ posts: Dated[] }>(node, `/api/v1/posts.json?hashes=${itemHash}`);
    for (const date of [posts[0]?.created, posts[0]?.last_updated]) {
      assert.match(String(date), /^2024-01-01T00:00:00(\.0+)?\+00:00$/);
    }
    const { aggregates } = await getJson<{ aggregates: Dated[] }>(
      node,
      `/api/v0/aggregates?addresses=${account.address}`,
    );
    const { info } = await getJson<{ info: Record<string, Dated> }>(
      node,
      `/api/v0/aggregates/${account.address}.json?with_info=true`,
    );
    for (const dated of [aggregates[0], info.k]) {
      assert.match(String(dated?.created), /^2024-01-01T00:00:00\.250+\+00:00$/);
      assert.match(String(dated?.last_updated), /^2024-01-01T00:00:00\.250+\+00:00$/);
    }
  });

  test("files have a fraction before Z in pages, and a number in cursor mode", async () => {
    const account = rawAccount("file dates");
    const upload = await post(node, "/api/v0/storage/add_json", '"dated"');
    const { hash } = JSON.parse(upload.text) as { hash: string };
    await putRaw(node, {
      account,
      type: "STORE",
      members: `"item_type":"storage","item_hash":"${hash}"`,
      time: "1704067205",
    });
    type Files = { files: { created: unknown }[] };
    const path = `/api/v0/addresses/${account.address}/files`;
    const page = await getJson<Files>(node, path);
    assert.equal(page.files[0]?.created, "2024-01-01T00:00:05.000000Z");
    const cursor = await getJson<Files>(node, `${path}?cursor=`);
    assert.equal(cursor.files[0]?.created, 1_704_067_205);
  });
});
