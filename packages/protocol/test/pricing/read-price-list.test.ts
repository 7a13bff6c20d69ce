import assert from "node:assert/strict";
import { test } from "node:test";
import { readPriceList } from "../../src/index.ts";

const listOf = (credit: string | number) => ({ storage: { price: { storage: { credit } } } });

test("a price that is a number is the decimal that its shortest text means", () => {
  for (const [given, read] of [
    [0.15, "0.15"],
    [1, "1"],
    [9.77e-7, "0.000000977"],
    [1.5e-10, "0.00000000015"],
    [1e21, "1000000000000000000000"],
    ["0.000000977", "0.000000977"],
  ] as const) {
    const result = readPriceList(listOf(given));
    assert.ok(result.ok, String(given));
    assert.equal(result.value.storage?.price.storage?.credit, read);
  }
});

test("what is no price makes the list unusable, and says where", () => {
  for (const given of [-1, "-1", "", "1.", "1e3", "NaN", " 1"]) {
    const result = readPriceList(listOf(given));
    assert.ok(!result.ok, String(given));
    assert.match(result.problems.join(), /storage\.price\.storage\.credit: .*a decimal that is not negative/);
  }
});

test("a product that nobody asks for may have any shape, one that is needed may not", () => {
  const storage = { price: { storage: { credit: "0.1" } } };
  for (const odd of [7, {}, { price: { fixed: 49.5 } }, { price: "much" }]) {
    const result = readPriceList({ storage, lottery: odd });
    assert.ok(result.ok, JSON.stringify(odd));
    assert.deepEqual(Object.keys(result.value), ["storage"]);
    assert.ok(!readPriceList({ storage, instance: odd === 7 ? odd : { price: 7 } }).ok);
  }
});
