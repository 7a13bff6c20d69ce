import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type AuthorizationFilter,
  type AuthorizationsPage,
  type AuthorizationsQuery,
  ReadError,
  UNLIMITED,
} from "../../src/index.ts";
import { createListReads } from "../../src/reader.ts";
import { SeedDatabase } from "./seed.ts";
import { seedAggregate } from "./seed-derived.ts";

const BASE = 1_700_000_000_000_000n;
const FIRST = { page: 1, pageSize: 20 };

describe("authorizations", () => {
  function seeded(lists: Readonly<Record<string, string>>) {
    const seed = new SeedDatabase();
    const element = seed.message({ type: "AGGREGATE" });
    for (const [owner, authorizations] of Object.entries(lists)) {
      seedAggregate(seed, {
        owner,
        key: "security",
        updatedMicros: BASE,
        first: element,
        last: element,
        fields: { authorizations },
      });
    }
    const reads = createListReads(seed.connection);
    const page = (query: AuthorizationsQuery, at = FIRST) => reads.authorizations(query, at, UNLIMITED);
    const all =
      (kind: "granted" | "received") =>
      (address: string, filter: AuthorizationFilter = {}) =>
        page({ kind, address, filter }).authorizations;
    return { page, granted: all("granted"), received: all("received") };
  }

  const LISTS = {
    "0xB":
      '[{"address":"0xG","types":["POST"],"channels":["c1"],"chain":"ETH","x":1152921504606846977},{"address":"0xH"},{"address":"0xG"}]',
    "0xA":
      '[{"address":"0x\\u0047","aggregate_keys":["k"],"post_types":[]},{"types":["POST"]},7,null,{"address":5}]',
    "0xC": '{"address":"0xG"}',
    "0xD": "null",
  };

  it("groups what was granted by grantee, without addresses, numbers intact", () => {
    const { granted } = seeded(LISTS);
    assert.deepEqual(granted("0xB"), [
      {
        address: "0xG",
        entriesJson: ['{"types":["POST"],"channels":["c1"],"chain":"ETH","x":1152921504606846977}', "{}"],
      },
      { address: "0xH", entriesJson: ["{}"] },
    ]);
    assert.deepEqual(
      granted("0xB", { other: "0xH" }).map(({ address }) => address),
      ["0xH"],
    );
    for (const nobody of ["0xC", "0xD", "0xNobody"]) assert.deepEqual(granted(nobody), []);
  });

  it("finds who granted, by exact address, ordered by granter", () => {
    const { received } = seeded(LISTS);
    const found = received("0xG");
    assert.deepEqual(
      found.map(({ address }) => address),
      ["0xA", "0xB"],
    );
    assert.deepEqual(found[0]?.entriesJson, ['{"aggregate_keys":["k"],"post_types":[]}']);
    assert.deepEqual(
      received("0xG", { other: "0xB" }).map(({ address }) => address),
      ["0xB"],
    );
    assert.deepEqual(received("0xg"), []);
  });

  it("lets a dimension that is absent or empty pass every filter", () => {
    const { granted } = seeded(LISTS);
    const count = (filter: object, owner = "0xB") =>
      granted(owner, filter).flatMap(({ entriesJson }) => entriesJson).length;
    assert.equal(count({ types: ["POST"] }), 3);
    assert.equal(count({ types: ["STORE"] }), 2);
    assert.equal(count({ chains: ["SOL", "ETH"], channels: ["c1"] }), 3);
    assert.equal(count({ chains: ["SOL"] }), 2);
    assert.equal(count({ postTypes: ["p"] }, "0xA"), 1);
    assert.equal(count({ aggregateKeys: ["other"] }, "0xA"), 0);
  });

  it("gives pages with the number of all addresses", () => {
    const { page } = seeded(LISTS);
    const names = ({ authorizations, total }: AuthorizationsPage) => [
      authorizations.map(({ address }) => address),
      total,
    ];
    const granted = { kind: "granted", address: "0xB", filter: {} } as const;
    assert.deepEqual(names(page(granted, { page: 2, pageSize: 1 })), [["0xH"], 2]);
    const received = { kind: "received", address: "0xG", filter: {} } as const;
    assert.deepEqual(names(page(received, { page: 2, pageSize: 1 })), [["0xB"], 2]);
    assert.deepEqual(names(page(received, { page: 3, pageSize: 1 })), [[], 2]);
  });

  it("serves a list of any length in bounded parts: giant entries and endless ones are left out", () => {
    const padding = "x".repeat(30_000);
    const many = Array.from({ length: 20 }, (_, n) => ({ address: "0xG", n, padding }));
    const giant = { address: "0xG", padding: "ä".repeat(100_000) };
    const { granted, received, page } = seeded({
      "0xA": JSON.stringify([giant, { address: "0xG", small: 1 }]),
      "0xB": JSON.stringify(many),
    });
    assert.deepEqual(granted("0xA"), [{ address: "0xG", entriesJson: ['{"small":1}'] }]);
    const [, ofMany] = received("0xG");
    const shown = ofMany?.entriesJson.map((entry) => (JSON.parse(entry) as { n: number }).n);
    assert.deepEqual(shown, [0, 1, 2, 3, 4, 5, 6, 7]);
    const widely = Array.from({ length: 300 }, (_, n) => ({ address: `0x${n}`, padding }));
    const query = { kind: "granted", address: "0xC", filter: {} } as const;
    assert.equal(page(query).total, 0);
    const wide = seeded({ "0xC": JSON.stringify(widely) });
    assert.throws(
      () => wide.page(query, { page: 1, pageSize: 300 }),
      (error) => error instanceof ReadError && error.code === "ANSWER_TOO_LARGE",
    );
    assert.equal(wide.page(query, { page: 3, pageSize: 100 }).authorizations.length, 100);
  });
});
