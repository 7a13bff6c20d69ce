import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { createClient, isSdkError, type MessageObject } from "../src/index.ts";
import { type HttpDouble, startHttpDouble } from "./support/http-double.ts";
import { hashOf, listedMessage, take, withCode } from "./support/samples.ts";
import { createTestRuntime } from "./support/test-runtime.ts";

const nothing = { messages: [], next_cursor: null };

function frame(label: string): string {
  return JSON.stringify(listedMessage(label));
}

function hashesOf(messages: readonly MessageObject[]): string[] {
  return messages.map((message) => message.item_hash);
}

function watcher(double: HttpDouble) {
  return createClient({ apiUrl: double.apiUrl, runtime: createTestRuntime() });
}

test("messages are given as they come, each once, until the consumer leaves", async () => {
  await using double = await startHttpDouble(() => ({ body: nothing }));
  double.onSocket((socket) => {
    for (const label of ["a", "b", "a", "c", "d"]) socket.send(frame(label));
  });
  const watch = watcher(double).watchMessages({ types: ["POST"], channels: ["TEST"], history: 5 });
  assert.deepEqual(hashesOf(await take(watch, 3)), ["a", "b", "c"].map(hashOf));
  const [opened] = double.sockets;
  assert.equal(opened?.url.search, "?msgTypes=POST&channels=TEST&history=5");
  assert.ok(opened);
  if (opened.socket.readyState !== opened.socket.CLOSED) await once(opened.socket, "close");
});

test("a lost connection is opened again and what was missed is fetched", async () => {
  const began = Math.floor(Date.now() / 1000);
  await using double = await startHttpDouble(() => ({
    body: { messages: [listedMessage("b"), listedMessage("missed")], next_cursor: null },
  }));
  double.onSocket((socket) => {
    const isFirst = double.sockets.length === 1;
    for (const label of isFirst ? ["a", "b"] : ["missed", "c"]) socket.send(frame(label));
    if (isFirst) socket.close(1001);
  });
  const states: boolean[] = [];
  const onConnection = (isOpen: boolean): void => void states.push(isOpen);
  const watch = watcher(double).watchMessages({ chains: ["ETH"], history: 3, onConnection });
  const messages = await take(watch, 4);
  assert.deepEqual(states, [true, false, true, false]);
  assert.deepEqual(hashesOf(messages), ["a", "b", "missed", "c"].map(hashOf));
  assert.deepEqual(
    double.sockets.map(({ url }) => url.searchParams.get("history")),
    ["3", "0"],
  );
  const query = double.requests[0]?.query;
  assert.deepEqual([query?.get("chains"), query?.get("sortOrder"), query?.get("cursor")], ["ETH", "1", ""]);
  assert.ok(Number(query?.get("startDate")) >= began);
});

test("a node that is not ready to tell what was missed is asked again", async () => {
  let calls = 0;
  await using double = await startHttpDouble(() => {
    calls += 1;
    if (calls === 1) return { status: 500, body: "500: still starting" };
    return { body: { messages: [listedMessage("missed")], next_cursor: null } };
  });
  double.onSocket((socket) => {
    if (double.sockets.length > 1) return;
    socket.send(frame("a"));
    socket.close(1001);
  });
  const messages = await take(watcher(double).watchMessages({}), 2);
  assert.deepEqual(hashesOf(messages), ["a", "missed"].map(hashOf));
  assert.equal(double.sockets.length, 3);
});

test("what is wrong for good ends the watch, while it catches up too", async () => {
  await using double = await startHttpDouble(() => ({ status: 422, body: "422: no" }));
  double.onSocket((socket) => {
    socket.send(frame("a"));
    socket.close(1001);
  });
  await assert.rejects(take(watcher(double).watchMessages({}), 2), withCode("SDK_HTTP_ERROR"));
  assert.equal(double.sockets.length, 2);
});

test("a node that cannot be had is given up after the attempts that were allowed", async () => {
  const double = await startHttpDouble(() => ({ body: nothing }));
  await double[Symbol.asyncDispose]();
  const watch = watcher(double).watchMessages({ maxAttempts: 3 });
  await assert.rejects(take(watch, 1), (error) => {
    assert.ok(isSdkError(error, "SDK_CONNECTION_LOST"));
    assert.equal(error.details.attempts, 3);
    return true;
  });
});

test("a node that closes every connection at once is not hammered for ever", async () => {
  await using double = await startHttpDouble(() => ({ body: nothing }));
  double.onSocket((socket) => socket.close(1013, "Too many connections"));
  await assert.rejects(take(watcher(double).watchMessages({ maxAttempts: 4 }), 1), (error) => {
    assert.ok(isSdkError(error, "SDK_CONNECTION_LOST"));
    assert.equal(error.details.closeCode, 1013);
    return true;
  });
  assert.equal(double.sockets.length, 4);
});

test("a consumer that is too slow is told, instead of memory filling up", async () => {
  await using double = await startHttpDouble(() => ({ body: nothing }));
  const sent = Promise.withResolvers<void>();
  double.onSocket((socket) => {
    socket.send(frame("0"));
    for (let index = 1; index <= 50; index += 1) socket.send(frame(String(index)));
    socket.once("close", () => sent.resolve());
  });
  const watch = watcher(double).watchMessages({ maxBuffered: 10 });
  const consume = async () => {
    for await (const message of watch) {
      assert.equal(typeof message.item_hash, "string");
      await sent.promise;
    }
  };
  await assert.rejects(consume(), (error) => {
    assert.ok(isSdkError(error, "SDK_SLOW_CONSUMER"));
    assert.equal(error.details.maxBuffered, 10);
    return true;
  });
});

test("an abort ends the watch, also while it waits", async () => {
  await using double = await startHttpDouble(() => ({ body: nothing }));
  const controller = new AbortController();
  const reason = new Error("left");
  double.onSocket(() => controller.abort(reason));
  const watch = watcher(double).watchMessages({ signal: controller.signal });
  await assert.rejects(take(watch, 1), (error) => error === reason);
});

test("frames that are no messages are refused", async () => {
  await using double = await startHttpDouble(() => ({ body: nothing }));
  for (const bad of ["no JSON", "[]", "{}", Buffer.from("{}")]) {
    double.onSocket((socket) => socket.send(bad));
    await assert.rejects(take(watcher(double).watchMessages({}), 1), withCode("SDK_BAD_ANSWER"));
  }
});

test("what cannot be watched is said at once", async () => {
  const client = createClient({ apiUrl: "http://node.example" });
  await assert.rejects(take(client.watchMessages({ history: 200 }), 1), withCode("SDK_INVALID_INPUT"));
});
