import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, describe, test } from "node:test";
import { DEFAULT_API_SETTINGS } from "@twentysix/core-node";
import { apiSettingsOf } from "../../src/api-settings.ts";
import { defaultConfig, type OptionKey } from "../../src/config/index.ts";
import { type LimitName, limitOf, OPTION_OF_LIMIT } from "../../src/documents/limits-document.ts";
import { startTestNode } from "../support/test-node.ts";

const GRACE_MS = 86_400_000;
const page = readFileSync(new URL("../../../../docs/limits.md", import.meta.url), "utf8");

/** Name and default of every limit that docs/limits.md tells. */
const told = [...page.matchAll(/^\| `([\w.]+)` \| ([^|]+) \|/gm)].map(
  ([, name = "", limit = ""]) => [name as LimitName, limit] as const,
);

describe("a node that is started without options", async () => {
  // Clients of this machine are not limited, so they come through a proxy.
  const node = await startTestNode({ trustedProxies: ["127.0.0.1"] });
  after(() => node.remove());

  test("has every limit that docs/limits.md tells", () => {
    assert.ok(told.length > 25);
    for (const [name, limit] of told) {
      const expected = name === "gracePeriodMs" ? GRACE_MS : Number(limit);
      assert.equal(limitOf(node.core.apiSettings, name), expected, name);
    }
  });

  test("answers with the limits of uploads and of websockets that the page tells", async () => {
    const limits = Object.fromEntries(told);
    const uploads = (await (await fetch(`${node.apiUrl}/api/v0/storage/limits.json`)).json()) as object;
    const unsigned = Number(limits["uploads.maxUnauthenticatedFileBytes"]);
    assert.deepEqual(uploads, {
      storage: {
        max_file_size: Number(limits["uploads.maxStorageFileBytes"]),
        max_unauthenticated_upload_file_size: unsigned,
      },
      ipfs: {
        max_upload_file_size: Number(limits["uploads.maxIpfsFileBytes"]),
        max_upload_car_size: Number(limits["uploads.maxCarBytes"]),
        max_unauthenticated_upload_file_size: unsigned,
      },
    });
    const figures = (await (await fetch(`${node.apiUrl}/metrics.json`)).json()) as Record<string, number>;
    assert.deepEqual(
      [figures.pyaleph_ws_messages_connections_max, figures.pyaleph_ws_status_connections_max],
      [Number(limits["websocket.maxMessageConnections"]), Number(limits["websocket.maxStatusConnections"])],
    );
  });

  test("slows an address down where the page says", async () => {
    const limits = Object.fromEntries(told);
    const uploadUnits = Number(/^\| upload \| (\d+) \|/m.exec(page)?.[1]);
    const ask = (): Promise<Response> =>
      fetch(`${node.apiUrl}/api/v0/storage/add_json`, {
        method: "POST",
        body: "not JSON",
        headers: { "x-forwarded-for": "203.0.113.9" },
      });
    const affordable = Number(limits["rate.burst"]) / uploadUnits;
    const statuses: number[] = [];
    let refused: Response | undefined;
    while (refused === undefined && statuses.length < 10 * affordable) {
      const answer = await ask();
      statuses.push(answer.status);
      if (answer.status === 429) refused = answer;
    }
    // Units are gained meanwhile.
    assert.ok(statuses.length > affordable, `${statuses.length} requests`);
    assert.ok(refused !== undefined);
    const { error } = (await refused.json()) as { error: { details: { unitsPerSecond: number } } };
    assert.equal(error.details.unitsPerSecond, Number(limits["rate.perSecond"]));
  });
});

test("the defaults of the options are those of the API", () => {
  const settings = apiSettingsOf(defaultConfig("/tmp"), GRACE_MS);
  assert.deepEqual(settings, { ...DEFAULT_API_SETTINGS, gracePeriodMs: GRACE_MS });
});

test("an option changes the limit that the page names it for, and that alone", () => {
  const defaults = apiSettingsOf(defaultConfig("/tmp"), GRACE_MS);
  const options = new Set(Object.values(OPTION_OF_LIMIT));
  options.delete("storageGracePeriodHours");
  for (const option of options) {
    const changed = apiSettingsOf(defaultConfig("/tmp", { [option]: 12_345 }), GRACE_MS);
    for (const [name] of told) {
      const expected = OPTION_OF_LIMIT[name] === (option as OptionKey) ? 12_345 : limitOf(defaults, name);
      assert.equal(limitOf(changed, name), expected, `${option}: ${name}`);
    }
  }
});
