import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  type AuthorizationRequest,
  authorizationsOf,
  authorizationsOfContent,
  authorizes,
  decidePermission,
  isOwnerItself,
  type JsonValue,
} from "../../src/index.ts";

const DELEGATE = "0xDeLeGaTe";
const OWNER = "0xOwner";

const REQUEST: AuthorizationRequest = {
  sender: DELEGATE,
  type: "POST",
  chain: "ETH",
  channel: "TEST",
  label: "note",
};

/** Does a security aggregate with this one entry let the request pass? */
function allows(entry: JsonValue, request: Partial<AuthorizationRequest> = {}): boolean {
  const entries = authorizationsOfContent({ authorizations: [entry] });
  return entries.some((candidate) => authorizes(candidate, { ...REQUEST, ...request }));
}

test("signer and owner are compared without regard to case", () => {
  assert.equal(isOwnerItself("0xABC", "0xabc"), true);
  assert.equal(isOwnerItself("0xABC", "0xabd"), false);
});

test("an entry with an address alone allows everything", () => {
  for (const type of ["POST", "AGGREGATE", "STORE", "FORGET", "PROGRAM"] as const) {
    assert.equal(allows({ address: DELEGATE.toLowerCase() }, { type, channel: null, label: null }), true);
  }
  assert.equal(allows({ address: "0xOther" }), false);
});

test("each filter restricts, and an empty one does not", () => {
  const cases: [Record<string, JsonValue>, Partial<AuthorizationRequest>, boolean][] = [
    [{ chain: "ETH" }, {}, true],
    [{ chain: "SOL" }, {}, false],
    [{ chain: null }, {}, true],
    [{ chain: "" }, {}, true],
    [{ channels: [] }, { channel: null }, true],
    [{ channels: ["TEST"] }, {}, true],
    [{ channels: ["TEST"] }, { channel: null }, false],
    [{ channels: ["test"] }, {}, false],
    [{ types: ["POST"] }, {}, true],
    [{ types: ["STORE"] }, {}, false],
    [{ post_types: ["note"] }, {}, true],
    [{ post_types: ["blog"] }, {}, false],
    [{ post_types: ["blog"] }, { type: "STORE", label: null }, true],
    [{ aggregate_keys: ["profile"] }, { type: "AGGREGATE", label: "profile" }, true],
    [{ aggregate_keys: ["profile"] }, { type: "AGGREGATE", label: "security" }, false],
    [{ aggregate_keys: ["profile"] }, { type: "POST" }, true],
    [{ chain: "ETH", channels: ["TEST"], types: ["POST"], post_types: ["note"] }, {}, true],
    [{ chain: "ETH", channels: ["TEST"], types: ["POST"], post_types: ["blog"] }, {}, false],
    [{ label: "unknown fields are ignored", expires: 0 }, {}, true],
  ];
  for (const [filters, request, expected] of cases) {
    assert.equal(
      allows({ address: DELEGATE, ...filters }, request),
      expected,
      JSON.stringify([filters, request]),
    );
  }
});

test("entries combine with or", () => {
  const text = JSON.stringify([{ address: "0xOther" }, { address: DELEGATE, types: ["POST"] }]);
  assert.equal(
    authorizationsOf(text).some((entry) => authorizes(entry, REQUEST)),
    true,
  );
});

test("malformed entries match nothing and harm no other", () => {
  const malformed: JsonValue[] = [
    null,
    "0xDeLeGaTe",
    [],
    {},
    { address: null },
    { address: DELEGATE, channels: null },
    { address: DELEGATE, channels: "TEST" },
    { address: DELEGATE, types: { POST: true } },
    { address: DELEGATE, chain: 1 },
    { address: DELEGATE, types: [1, null] },
  ];
  for (const entry of malformed) assert.equal(allows(entry), false, JSON.stringify(entry));
  const entries = authorizationsOfContent({ authorizations: [...malformed, { address: DELEGATE }] });
  assert.equal(
    entries.some((entry) => authorizes(entry, REQUEST)),
    true,
  );
  for (const content of [null, [], {}, { authorizations: null }, { authorizations: { address: DELEGATE } }]) {
    assert.deepEqual(authorizationsOfContent(content), []);
  }
  assert.deepEqual(authorizationsOf("{"), []);
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const request = { ...REQUEST, sender: "0xNobody" };
      assert.equal(
        authorizationsOfContent({ authorizations: [value as JsonValue] }).some((entry) =>
          authorizes(entry, request),
        ),
        false,
      );
    }),
  );
});

test("a decision says by what it was taken", () => {
  const entries = authorizationsOfContent({ authorizations: [{ address: DELEGATE }] });
  assert.deepEqual(decidePermission(OWNER, { ...REQUEST, sender: "0xOWNER" }, []), {
    allowed: true,
    by: "owner",
  });
  assert.equal(decidePermission(OWNER, REQUEST, entries).by, "delegation");
  assert.deepEqual(decidePermission(OWNER, REQUEST, []), {
    allowed: false,
    by: "no-delegation",
    details: { errors: ["Sender 0xDeLeGaTe is not authorized to post on behalf of address 0xOwner"] },
  });
});

test("switch securityAggregateOwnerOnly: off lets a broad delegate rewrite permissions, on does not", () => {
  const entries = authorizationsOfContent({ authorizations: [{ address: DELEGATE }] });
  const security = { ...REQUEST, type: "AGGREGATE", label: "security" } as const;
  assert.equal(decidePermission(OWNER, security, entries).allowed, true);
  const on = { securityAggregateOwnerOnly: true };
  assert.equal(decidePermission(OWNER, security, entries, on).by, "security-is-owners-only");
  assert.equal(decidePermission(OWNER, { ...security, sender: "0xowner" }, [], on).by, "owner");
  assert.equal(decidePermission(OWNER, { ...security, label: "profile" }, entries, on).allowed, true);
  assert.equal(decidePermission(OWNER, { ...security, type: "POST" }, entries, on).allowed, true);
});
