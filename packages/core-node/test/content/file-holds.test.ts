import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FileHolds } from "../../src/content/file-holds.ts";

describe("the holds of files", () => {
  test("tell of a name that has become free if a deletion was refused it, and of no other", async () => {
    const holds = new FileHolds();
    let told = 0;
    holds.onFree = () => {
      told += 1;
    };
    const [one, other] = [await holds.hold("a"), await holds.hold("a")];
    const third = await holds.hold("b");
    assert.equal(holds.takeForDeletion("a"), null);
    third[Symbol.dispose]();
    one[Symbol.dispose]();
    assert.equal(told, 0);
    other[Symbol.dispose]();
    assert.equal(told, 1);
    (await holds.hold("a"))[Symbol.dispose]();
    assert.equal(told, 1);
    assert.ok(holds.takeForDeletion("a") !== null);
  });
});
