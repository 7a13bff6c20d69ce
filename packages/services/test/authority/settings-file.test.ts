import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { defaultAuthoritySettings, readSettingsFile } from "../../src/index.ts";

const folder = mkdtempSync(join(tmpdir(), "twentysix-settings-"));
after(() => rmSync(folder, { recursive: true }));
const defaults = defaultAuthoritySettings([
  { chain: "ETH", address: "0xA" },
  { chain: "SOL", address: "B" },
]);

function read(content: unknown) {
  const path = join(folder, "settings.json");
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return readSettingsFile(path, defaults);
}

describe("the settings of an authority", () => {
  test("make development accounts rich by default", () => {
    assert.deepEqual(defaults.balances, { ETH: { "0xA": 1_000_000 }, SOL: { B: 1_000_000 } });
    assert.deepEqual(defaults.grants, { "0xA": 1_000_000_000n, B: 1_000_000_000n });
  });

  test("of a file replace what it names, lists as a whole", async () => {
    const settings = await read({
      balances: { ETH: { "0xC": 12.5 } },
      grants: {},
      faucet: { credits: 5, expiryDays: null },
      billing: { maxSpanSeconds: 7_200, creditPriceTokens: "0.0000573" },
    });
    assert.deepEqual(settings, {
      balances: { ETH: { "0xC": 12.5 } },
      grants: {},
      faucet: { credits: 5n, grantsPerDay: 5, expiryDays: null },
      billing: { periodSeconds: 3_600, maxSpanSeconds: 7_200, creditPriceTokens: "0.0000573" },
      registryPeriodSeconds: 5,
      updatesPrices: false,
    });
    assert.deepEqual(await read({}), defaults);
  });

  for (const [what, content, expected] of [
    ["no JSON", "{", /is no JSON/],
    ["an unknown key", { balance: {} }, /\/balance: Unexpected property/],
    ["a chain that there is not", { balances: { MOON: {} } }, /\/balances\/MOON/],
    ["a negative balance", { balances: { ETH: { "0xA": -1 } } }, /\/balances\/ETH\/0xA/],
    ["credits that are no whole number", { grants: { "0xA": 1.5 } }, /\/grants\/0xA: Expected integer/],
    ["a price that is no decimal", { billing: { creditPriceTokens: "5e-5" } }, /creditPriceTokens/],
    ["a blank address", { grants: { " ": 1 } }, /\/grants/],
  ] as const) {
    test(`with ${what} are refused`, async () => {
      await assert.rejects(read(content), (error: Error & { code?: string; setting?: string }) => {
        assert.match(error.message, expected);
        assert.deepEqual([error.code, error.setting], ["AUTHORITY_SETTINGS_UNUSABLE", "authoritySettings"]);
        return true;
      });
    });
  }
});
