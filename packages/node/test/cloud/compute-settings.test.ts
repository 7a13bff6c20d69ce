import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { computeSettingsOf } from "../../src/cloud/compute-settings-of.ts";
import { resolveConfig } from "../../src/config/index.ts";
import { loadNetwork } from "../../src/network.ts";

async function settingsOf(flags: Readonly<Record<string, string>>) {
  const inputs = { flags, environment: {}, workingDir: "/w", readTextFile: async () => "" };
  const outcome = await resolveConfig(inputs);
  assert.ok(outcome.ok, outcome.ok ? "" : outcome.problem.message);
  const definition = loadNetwork(outcome.config.network);
  return { settings: computeSettingsOf(outcome.config, definition), definition };
}

describe("the settings of a compute node", () => {
  test("name the network's registry: by it nodes agree who runs a program for a message", async () => {
    const { settings, definition } = await settingsOf({});
    const { address, key } = definition.authorities.registry;
    assert.deepEqual(settings.identity.registry, { address, key });
  });

  test("are those of its host helper, where both need them", async () => {
    const { settings } = await settingsOf({ "vm-ipv6-policy": "dynamic", "vm-ipv6-pool": "fd00:1:2:3::/64" });
    assert.deepEqual(
      [settings.network.ipv6Policy, settings.network.ipv6Pool],
      ["dynamic", "fd00:1:2:3::/64"],
    );
  });

  test("bound disks as the operator says: downloads in size, machines in speed", async () => {
    const flags = { "vm-cache": "2GiB", "vm-disk-bandwidth": "40" };
    const { storage } = (await settingsOf(flags)).settings;
    assert.deepEqual(
      [storage.cacheQuotaBytes, storage.diskBytesPerSecondPerVcpu],
      [2 * 2 ** 30, 40 * 2 ** 20],
    );
    assert.equal((await settingsOf({})).settings.storage.diskBytesPerSecondPerVcpu, null);
  });

  test("trust the proxies that the operator trusts", async () => {
    const { settings } = await settingsOf({ "trusted-proxies": "127.0.0.1,10.0.0.0/8" });
    assert.deepEqual(settings.functions.trustedProxies, ["127.0.0.1", "10.0.0.0/8"]);
  });
});
