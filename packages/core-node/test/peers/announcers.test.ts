import assert from "node:assert/strict";
import { test } from "node:test";
import { createMemoryLogger, createVirtualTime } from "@twentysix/platform";
import { Announcers, operatorsOf } from "../../src/peers/announcers.ts";

test("peers are named by the nodes of the registry, whatever their status; what names nobody is passed over", () => {
  const nodes = [
    { status: "active", multiaddress: "/ip4/1.1.1.1/tcp/4025/p2p/QmFirst" },
    { status: "waiting", multiaddress: "/dns/node.example/tcp/4025/p2p/QmSecond" },
    { multiaddress: "/ip4/1.1.1.1/tcp/4025" },
    { multiaddress: "/p2p/QmRelay/p2p-circuit/p2p/QmThird" },
    { multiaddress: 7 },
    null,
  ];
  assert.deepEqual([...operatorsOf({ nodes }).keys()], ["QmFirst", "QmSecond"]);
  for (const content of [null, {}, { nodes: {} }, []]) assert.equal(operatorsOf(content).size, 0);
});

test("a peer belongs to whoever registered it first", () => {
  const nodes = [
    { owner: "0xLiar", time: 20, multiaddress: "/ip4/2.2.2.2/tcp/1/p2p/QmFirst" },
    { owner: "0xOperator", time: 10, multiaddress: "/ip4/1.1.1.1/tcp/1/p2p/QmFirst" },
    { owner: "0xOperator", time: 11, multiaddress: "/ip4/1.1.1.2/tcp/1/p2p/QmSecond" },
    { time: 11, multiaddress: "/ip4/1.1.1.3/tcp/1/p2p/QmThird" },
  ];
  assert.deepEqual(Object.fromEntries(operatorsOf({ nodes })), {
    QmFirst: "0xOperator",
    QmSecond: "0xOperator",
    QmThird: null,
  });
});

test("the registry is read again every five minutes; what cannot be read leaves those that are known", async () => {
  const time = createVirtualTime();
  let read: () => string = () => '{"nodes":[{"multiaddress":"/ip4/1.1.1.1/tcp/1/p2p/QmFirst"}]}';
  const asked: unknown[] = [];
  const log = createMemoryLogger();
  const announcers = new Announcers({
    registry: { address: "0xRegistry", key: "corechannel" },
    reads: {
      aggregates: async (...query: unknown[]) => {
        asked.push(query);
        return [{ contentJson: read() }] as never;
      },
    },
    timers: time.timers,
    log,
  });
  await time.advance(1);
  assert.deepEqual(asked, [["0xRegistry", ["corechannel"]]]);
  assert.equal(announcers.has("QmFirst"), true);
  read = () => {
    throw new Error("unreadable");
  };
  await time.advance(300_000);
  assert.equal(announcers.has("QmFirst"), true);
  assert.match(log.records[0]?.message ?? "", /registry/);
  read = () => '{"nodes":[]}';
  await time.advance(300_000);
  assert.equal(announcers.has("QmFirst"), false);
  await announcers.close();
});
