import assert from "node:assert/strict";
import { test } from "node:test";
import {
  bill,
  grant,
  instanceContent,
  MIB,
  payment,
  send,
  store,
  T,
  untilStatus,
} from "./support/economy.ts";
import { openEvents } from "./support/event-source.ts";
import { startRealNode, testAccount } from "./support/real-node.ts";

const pathOf = (address: string): string => `/api/v1/addresses/${address}/forecast/events`;

test("events tell how an account stands, what its runway comes to, and its removals", async (t) => {
  const node = await startRealNode(t);
  const alice = testAccount(31);
  const { address } = alice;
  const rootfs = await store(node, alice, T, MIB);
  await using events = await openEvents(node.url + pathOf(address));
  assert.equal(events.response.headers.get("content-type"), "text/event-stream");
  const first = await events.next();
  assert.deepEqual(
    [first?.name, first?.data.runway_seconds, first?.data.threshold_seconds, first?.data.next_removal],
    ["forecast", null, null, null],
  );

  await grant(node, T + 1, { address, amount: 4_000_000 });
  const machine = await send(node, alice, "INSTANCE", T + 2, instanceContent(rootfs, payment("credit")));
  await bill(node, T + 3, { address, amount: 2_000_000, execution_id: machine });
  // 2,000,000 credits at 3.958… a second are less than seven days.
  const week = await events.next();
  assert.deepEqual(
    [week?.name, week?.data.threshold_seconds, week?.data.runway_seconds],
    ["runway", 604_800, 505_263],
  );

  await bill(node, T + 4, { address, amount: 1_700_000, execution_id: machine });
  await untilStatus(node, machine, "removing");
  const told = [await events.next(), await events.next()];
  assert.deepEqual(
    told.map((event) => event?.name),
    ["runway", "removal"],
  );
  assert.equal(told[0]?.data.threshold_seconds, 86_400);
  const removal = told[1]?.data.next_removal as { item_hash: string; status: string; reason: string };
  assert.deepEqual(
    [removal.item_hash, removal.status, removal.reason],
    [machine, "removing", "credit_insufficient"],
  );

  await grant(node, T + 5, { address, amount: 4_000_000 });
  await untilStatus(node, machine, "processed");
  const recovered = [await events.next(), await events.next()];
  assert.deepEqual(
    recovered.map((event) => event?.name),
    ["recovery", "removal_ended"],
  );
  assert.equal(recovered[0]?.data.threshold_seconds, null);
  assert.deepEqual([recovered[1]?.data.item_hash, recovered[1]?.data.status], [machine, "processed"]);

  await using second = await openEvents(node.url + pathOf(address));
  assert.equal((await second.next())?.name, "forecast", "whoever comes later learns how things stand");
  await node.close();
  assert.equal(await events.next(), null, "a node that stops ends its streams");
});

test("event streams are counted, and a place is free again when its client has gone", async (t) => {
  const node = await startRealNode(t, {
    settings: { events: { maxStreams: 2, maxStreamsPerAddress: 2, heartbeatMs: 20, maxQueuedBytes: 65_536 } },
  });
  const url = node.url + pathOf("0xNobody");
  const [one, two] = [await openEvents(url), await openEvents(url)];
  const refused = await node.get(pathOf("0xNobody"));
  assert.equal(refused.status, 503);
  assert.match(await refused.text(), /too many event streams/);
  assert.equal((await node.get(pathOf("0xNobody"), { method: "HEAD" })).status, 200);
  assert.equal((await one.next())?.name, "forecast");
  await one[Symbol.asyncDispose]();
  let status = 503;
  while (status === 503) {
    const again = await node.get(pathOf("0xNobody"));
    status = again.status;
    await again.body?.cancel();
  }
  assert.equal(status, 200);
  await two[Symbol.asyncDispose]();
});
