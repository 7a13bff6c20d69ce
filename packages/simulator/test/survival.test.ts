import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { survive } from "../src/index.ts";

const SMALL = { nodes: 6, messages: 40, files: 8, minFileBytes: 1_000, maxFileBytes: 3_000_000, skew: 1 };

describe("nodes are killed", { timeout: 1_200_000 }, () => {
  test("any two of them, and two more after the repair: what three nodes keep is served by every survivor", async () => {
    const told: string[] = [];
    const size = { ...SMALL, copies: 3 };
    await survive({ seed: 1, size, asked: "all", maxPairs: 3 }, (line) => told.push(line));
    assert.equal(told.length, 1 + 2 * 3);
  });

  test("any two of them: what is kept in shards is put together by every survivor", async () => {
    const told: string[] = [];
    const erasure = { dataShards: 2, totalShards: 4, minFileBytes: 65_536 };
    const size = { ...SMALL, copies: 3, erasure };
    await survive({ seed: 3, size, asked: "all", maxPairs: 2 }, (line) => told.push(line));
    assert.equal(told.length, 1 + 2 * 2);
  });

  test("all but one: what everyone keeps is served by whichever is left", async () => {
    const told: string[] = [];
    await survive({ seed: 2, size: { ...SMALL, copies: null }, asked: "all" }, (line) => told.push(line));
    assert.equal(told.length, 1 + SMALL.nodes);
  });
});
