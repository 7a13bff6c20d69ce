import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { accountAddress } from "../../src/index.ts";

const ADDRESS = "0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc";

describe("an address that credits go to", () => {
  test("is written as ledgers compare it", () => {
    assert.equal(accountAddress(ADDRESS), ADDRESS);
    assert.equal(accountAddress(ADDRESS.toLowerCase()), ADDRESS);
    assert.equal(accountAddress(`0x${ADDRESS.slice(2).toUpperCase()}`), ADDRESS);
    assert.equal(accountAddress("oeYf6KAJkLYhBuR8CiGc6L4D4Xtfepr85fuDgA9kq96").length, 43);
  });

  for (const [what, text] of [
    ["a slip in its letters", ADDRESS.replace("7D", "7d")],
    ["a blank", "0x12 34"],
    ["a comma, which lists cannot ask for", "0x12,34"],
    ["nothing in it", ""],
    ["no end", "x".repeat(129)],
  ] as const) {
    test(`with ${what} is refused`, () => {
      assert.throws(() => accountAddress(text), { code: "CREDIT_ADDRESS_INVALID" });
    });
  }
});
