import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { JsonObject } from "@twentysix/protocol";
import fc from "fast-check";
import { activeComputeNodes, chosenNode } from "../../../src/functions/triggers/chosen-node.ts";
import { indexKeyOf, indexKeysOf, matches } from "../../../src/functions/triggers/subscription.ts";

const message: JsonObject = {
  type: "POST",
  sender: "0x1",
  channel: "TEST",
  item_hash: "abc",
  time: 5,
  content: { type: "note", content: { tags: ["a", "b"], deep: { x: 1 } }, address: "0x1" },
};

describe("subscriptions to messages", () => {
  for (const [subscription, is] of [
    [{ type: "POST" }, true],
    [{ type: "POST", channel: "OTHER" }, false],
    [{ sender: "0x1", content: { type: "note" } }, true],
    [{ content: { content: { deep: { x: 1 } } } }, true],
    [{ content: { content: { deep: { x: 2 } } } }, false],
    [{ content: { content: { tags: ["a", "b"] } } }, true],
    [{ content: { content: { tags: ["a"] } } }, false],
    [{ nothing: "x" }, false],
    [{ type: { deeper: 1 } }, false],
    [{ type: ["POST"] }, false],
    [{ type: null }, false],
    [{ constructor: {} }, false],
    [{}, false],
  ] as const) {
    test(`${JSON.stringify(subscription)} is ${is ? "met" : "not met"}`, () => {
      assert.equal(matches(subscription as unknown as JsonObject, message), is);
    });
  }

  test("any two JSON objects are compared, and what matches is found by its key", () => {
    const json = fc.dictionary(
      fc.constantFrom("type", "sender", "channel", "content", "__proto__", "x"),
      fc.jsonValue({ maxDepth: 4 }),
    );
    fc.assert(
      fc.property(json, json, (wanted, seen) => {
        const isMet = matches(wanted as JsonObject, seen as JsonObject);
        if (isMet) assert.ok(indexKeysOf(seen as JsonObject).includes(indexKeyOf(wanted as JsonObject)));
        const own = matches(wanted as JsonObject, wanted as JsonObject);
        assert.equal(own, Object.keys(wanted).length > 0);
      }),
    );
  });
});

describe("the node that runs a program for a message", () => {
  const nodes = ["n1", "n2", "n3", "n4"];

  test("is the same in any order of the nodes, and each has its share", () => {
    const counts = new Map<string, number>();
    for (let index = 0; index < 400; index += 1) {
      const chosen = chosenNode(nodes, "vm", `message ${index}`);
      assert.equal(chosen, chosenNode([...nodes].reverse(), "vm", `message ${index}`));
      counts.set(String(chosen), (counts.get(String(chosen)) ?? 0) + 1);
    }
    assert.ok(
      [...counts.values()].every((count) => count > 60),
      JSON.stringify([...counts]),
    );
  });

  test("stays when another one goes", () => {
    for (let index = 0; index < 100; index += 1) {
      const chosen = chosenNode(nodes, "vm", `message ${index}`);
      const others = nodes.filter((node) => node === chosen || node !== "n2");
      if (chosen !== "n2") assert.equal(chosenNode(others, "vm", `message ${index}`), chosen);
    }
    assert.equal(chosenNode([], "vm", "message"), null);
  });

  test("is one that is linked and active in the registry", () => {
    const registry = {
      resource_nodes: [
        { hash: "n1", status: "linked", inactive_since: null },
        { hash: "n2", status: "waiting" },
        { hash: "n3", status: "linked", inactive_since: 5 },
        { hash: "n4", status: "linked" },
        "nothing",
        { status: "linked" },
      ],
    };
    assert.deepEqual(activeComputeNodes(registry as unknown as JsonObject), ["n1", "n4"]);
    assert.deepEqual(activeComputeNodes({ resource_nodes: "x" }), []);
    assert.deepEqual(activeComputeNodes(null), []);
  });
});
