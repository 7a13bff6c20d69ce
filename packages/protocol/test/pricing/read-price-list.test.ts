import assert from "node:assert/strict";
import { test } from "node:test";
import { priceListWarnings, readNetworkSettings, readPriceList } from "../../src/index.ts";

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

test("what is odd about a usable list is told", () => {
  const tiers = (...units: readonly number[]) =>
    units.map((compute_units, index) => ({ id: `tier-${index + 1}`, compute_units, model: `M${index + 1}` }));
  const list = readPriceList({
    storage: { price: {} },
    instance: { price: {}, tiers: tiers(1, 2, 4) },
    program: { price: {}, tiers: tiers(1, 1) },
  });
  const gpu = (device_id: string, model: string) => ({ name: "GPU", model, vendor: "NVIDIA", device_id });
  const settings = readNetworkSettings({
    compatible_gpus: [gpu("10de:1", "M1"), gpu("10de:1", "M2"), gpu("10de:2", "M9")],
  });
  assert.ok(list.ok && settings.ok);
  assert.deepEqual(priceListWarnings(list.value, settings.value), [
    "device 10de:1 is listed more than once",
    "model M9 of device 10de:2 is in no tier",
    "tiers of program are not in ascending order",
  ]);
});
