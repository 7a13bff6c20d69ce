import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, test } from "node:test";
import websocket from "@fastify/websocket";
import { createSystemTimers } from "@twentysix/platform";
import Fastify from "fastify";
import { addLiveEvents } from "../../src/scheduler/api/live-events.ts";
import type { SchedulerStore } from "../../src/scheduler/state/store.ts";
import { hash } from "./support/plan-inputs.ts";
import { memoryStore } from "./support/state.ts";

describe("live events", () => {
  test("are all told to whoever missed many of them, and then those that come", async () => {
    await using api = await startApi();
    tell(api.store, 10_500);
    const seqs: number[] = [];
    const all = Promise.withResolvers<void>();
    using reader = connect(`${api.url}?since=0`, ({ seq }) => {
      seqs.push(seq);
      if (seqs.length === 10_400) tell(api.store, 3);
      if (seqs.length === 10_503) all.resolve();
    });
    await once(reader.socket, "open");
    await all.promise;
    assert.deepEqual(
      seqs,
      seqs.map((_, index) => index + 1),
    );
  });

  test("are told to so many at once, and others are told to come back", async () => {
    await using api = await startApi(2);
    using first = connect(api.url);
    using second = connect(api.url);
    await Promise.all([once(first.socket, "open"), once(second.socket, "open")]);
    using third = connect(api.url);
    const [closed] = (await once(third.socket, "close")) as [CloseEvent];
    assert.equal(closed.code, 1013);
    first.socket.close();
    await once(first.socket, "close");
    using fourth = connect(`${api.url}?since=0`, () => heard.resolve());
    const heard = Promise.withResolvers<void>();
    await once(fourth.socket, "open");
    tell(api.store, 1);
    await heard.promise;
  });
});

async function startApi(maxConsumers?: number) {
  const store = memoryStore();
  const server = Fastify({ forceCloseConnections: true });
  await server.register(websocket);
  await server.register(async (scope) => addLiveEvents(scope, store, createSystemTimers(), maxConsumers));
  const url = await server.listen({ host: "127.0.0.1", port: 0 });
  return {
    store,
    url: `${url.replace("http", "ws")}/api/v1/ws`,
    [Symbol.asyncDispose]: () => server.close(),
  };
}

function tell(store: SchedulerStore, count: number): void {
  store.change((changes) => {
    for (let told = 0; told < count; told += 1) {
      changes.event({ type: "NodeStatusChanged", nodeHash: hash("n1"), status: "Healthy" });
    }
  });
}

function connect(url: string, onEvent: (event: { readonly seq: number }) => void = () => {}) {
  const socket = new WebSocket(url);
  socket.addEventListener("message", ({ data }) => onEvent(JSON.parse(String(data))));
  return { socket, [Symbol.dispose]: () => socket.close() };
}
