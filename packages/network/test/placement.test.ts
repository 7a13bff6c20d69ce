import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { placesOf, type StorageNode, shardPlacesOf } from "../src/index.ts";

const nodesOf = (count: number, domains = count): StorageNode[] =>
  Array.from({ length: count }, (_, index) => ({
    peerId: `peer ${index}`,
    domain: `domain ${index % domains}`,
  }));
const file = (n: number): string => n.toString(16).padStart(64, "0");

test("everyone who knows the same nodes names the same places, in whatever order they are known", () => {
  fc.assert(
    fc.property(
      fc.nat(),
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 5 }),
      (n, count, copies) => {
        const nodes = nodesOf(count);
        const places = placesOf(file(n), nodes, copies);
        assert.deepEqual(placesOf(file(n), nodes.toReversed(), copies), places);
        assert.equal(places.length, Math.min(count, copies));
        assert.equal(new Set(places).size, places.length);
      },
    ),
  );
});

test("a node that goes moves only what it kept", () => {
  const nodes = nodesOf(10);
  for (let n = 0; n < 300; n += 1) {
    const before = placesOf(file(n), nodes, 3);
    const after = placesOf(
      file(n),
      nodes.filter(({ peerId }) => peerId !== "peer 4"),
      3,
    );
    const kept = before.filter((peerId) => peerId !== "peer 4");
    assert.deepEqual(
      after.filter((peerId) => kept.includes(peerId)),
      kept,
    );
    if (!before.includes("peer 4")) assert.deepEqual(after, before);
  }
});

test("files are spread over the nodes, and copies of one over what can fail together", () => {
  const counts = new Map<string, number>();
  for (let n = 0; n < 2_000; n += 1)
    for (const peerId of placesOf(file(n), nodesOf(10), 3)) counts.set(peerId, (counts.get(peerId) ?? 0) + 1);
  // 600 are expected of each, with a deviation of about 20.
  for (const count of counts.values()) assert.ok(count > 500 && count < 700, String(count));
  for (let n = 0; n < 200; n += 1) {
    const nodes = nodesOf(12, 4);
    const domains = placesOf(file(n), nodes, 4).map(
      (peerId) => nodes.find((node) => node.peerId === peerId)?.domain,
    );
    assert.equal(new Set(domains).size, 4);
  }
  assert.equal(placesOf(file(1), nodesOf(6, 1), 3).length, 3, "one domain is better than none");
});

test("each shard has a place, on the nodes that would keep copies; with fewer nodes they take several, evenly", () => {
  fc.assert(
    fc.property(
      fc.nat(),
      fc.integer({ min: 1, max: 14 }),
      fc.integer({ min: 3, max: 9 }),
      (n, count, shards) => {
        const nodes = nodesOf(count);
        const places = shardPlacesOf(file(n), nodes, shards);
        assert.deepEqual(shardPlacesOf(file(n), nodes.toReversed(), shards), places);
        assert.equal(places.length, shards);
        assert.deepEqual(new Set(places), new Set(placesOf(file(n), nodes, shards)));
        const perNode = new Map<string, number>();
        for (const peerId of places) perNode.set(peerId, (perNode.get(peerId) ?? 0) + 1);
        assert.ok(Math.max(...perNode.values()) <= Math.ceil(shards / count));
      },
    ),
  );
  assert.deepEqual(shardPlacesOf(file(1), [], 4), []);
});

test("shards of one file are in as many domains as there are", () => {
  for (let n = 0; n < 100; n += 1) {
    const nodes = nodesOf(12, 6);
    const places = shardPlacesOf(file(n), nodes, 6);
    const domains = places.map((peerId) => nodes.find((node) => node.peerId === peerId)?.domain);
    assert.equal(new Set(domains).size, 6);
  }
});

test("a node that goes moves its own shard, and about one other", () => {
  const nodes = nodesOf(9);
  let lost = 0;
  let moved = 0;
  for (let n = 0; n < 500; n += 1) {
    const before = shardPlacesOf(file(n), nodes, 6);
    const left = nodes.filter(({ peerId }) => peerId !== "peer 4");
    const after = shardPlacesOf(file(n), left, 6);
    if (!before.includes("peer 4")) {
      assert.deepEqual(after, before);
      continue;
    }
    lost += 1;
    moved += after.filter((peerId, position) => peerId !== before[position]).length - 1;
  }
  assert.ok(lost > 250 && moved / lost < 1.5, `${moved} moved beside ${lost} lost`);
});
