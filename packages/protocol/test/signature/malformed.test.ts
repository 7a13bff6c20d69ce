import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { CHAINS } from "../../src/chains.ts";
import { signatureIdentity } from "../../src/signature/signature-identity.ts";
import type { SignatureSwitches } from "../../src/signature/switches.ts";
import { verifySignature } from "../../src/signature/verify-signature.ts";
import { PROVIDERS, SIGNED_VECTORS, type SignedVector } from "./vectors.ts";

/** One published message of each chain that has any, to damage. */
const SEEDS: readonly SignedVector["fields"][] = [
  ...new Map(
    SIGNED_VECTORS.filter(({ valid }) => valid).map(({ fields }) => [fields.chain, fields]),
  ).values(),
];
/** Every leniency on, so that all the code is reached. */
const ALL_SWITCHES: SignatureSwitches = {
  nulsPrintableForm: true,
  nulsRealFormat: true,
  substrateHexWithoutPrefix: true,
  evmForUnverifiedChains: true,
};

const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 200 }),
  fc.string({ unit: fc.constantFrom(..."0123456789abcdefxX"), maxLength: 140 }),
  fc.base64String({ maxLength: 120 }),
  fc.json({ maxDepth: 3 }),
);

const NASTY_VALUES = [null, true, 0, -1, 1e300, "", "0x", "1", [], {}, { type: null }, "é", "\ud83d\ude00"];
const KEYS = [
  "signature",
  "publicKey",
  "version",
  "curve",
  "data",
  "pub_key",
  "signingType",
  "dAppUrl",
  "__proto__",
];

/** Objects of the right keys and the wrong values. */
const object = fc
  .dictionary(fc.constantFrom(...KEYS), fc.oneof(fc.constantFrom(...NASTY_VALUES), text), { maxKeys: 6 })
  .map((value) => JSON.stringify(value));

/** A valid text in which a few characters are changed, dropped or doubled. */
const damaged = fc
  .tuple(
    fc.constantFrom(...SEEDS),
    fc.array(fc.tuple(fc.nat(), fc.constantFrom("", "0", "1", "=", '"', "é", "zz")), {
      minLength: 1,
      maxLength: 3,
    }),
  )
  .map(([fields, edits]) => {
    const signature = edits.reduce((current, [position, replacement]) => {
      const index = position % (current.length + 1);
      return current.slice(0, index) + replacement + current.slice(index + 1);
    }, fields.signature);
    return { ...fields, signature };
  });

function assertRefusedOrValid(fields: SignedVector["fields"], mayBeValid: boolean): void {
  for (const [, crypto] of PROVIDERS) {
    const verdict = verifySignature(fields, { crypto, switches: ALL_SWITCHES });
    if (verdict.ok) assert.ok(mayBeValid);
    else {
      assert.equal(verdict.code, 1);
      assert.equal(verdict.why?.expectedAddress, fields.sender);
    }
  }
  assert.equal(typeof signatureIdentity(fields.chain, fields.signature), "string");
}

function isMalformed(fields: SignedVector["fields"]): boolean | null {
  const [, crypto] = PROVIDERS[0] ?? [];
  assert.ok(crypto !== undefined);
  const verdict = verifySignature(fields, { crypto, switches: ALL_SWITCHES });
  return verdict.ok || verdict.code === 0 ? null : verdict.isMalformed;
}

describe("malformed signatures are refused with code 1, never an exception", () => {
  test("any text, for any chain, from any sender", () => {
    const senders = fc.oneof(text, fc.constantFrom(...SEEDS.map(({ sender }) => sender)));
    fc.assert(
      fc.property(fc.constantFrom(...CHAINS), senders, fc.oneof(text, object), (chain, sender, signature) => {
        const fields = { type: "POST", itemHash: "00", timeMicros: 0n, chain, sender, signature } as const;
        assertRefusedOrValid(fields, false);
      }),
      { numRuns: 600 },
    );
  });

  test("JSON of the right keys and the wrong values, on the chains that read JSON", () => {
    const seeds = SEEDS.filter(({ signature }) => signature.startsWith("{"));
    assert.equal(seeds.length, 4);
    fc.assert(
      fc.property(fc.constantFrom(...seeds), object, (seed, changes) => {
        const original = JSON.parse(seed.signature) as object;
        const replaced = JSON.stringify({ ...original, ...JSON.parse(changes) });
        // Keys that a chain does not read leave the message valid.
        assertRefusedOrValid({ ...seed, signature: replaced }, true);
        assertRefusedOrValid({ ...seed, signature: changes }, false);
      }),
      { numRuns: 300 },
    );
  });

  test("published signatures with damage", () => {
    fc.assert(
      fc.property(damaged, (fields) => assertRefusedOrValid(fields, true)),
      { numRuns: 200 },
    );
  });

  test("values that are no objects, and objects without the keys", () => {
    for (const seed of SEEDS) {
      for (const signature of ["null", "[]", "1", '"a"', "{}", "{", `x${seed.signature}`]) {
        assertRefusedOrValid({ ...seed, signature }, false);
        assert.equal(isMalformed({ ...seed, signature }), true);
      }
    }
  });

  test("a good signature of another message is not called malformed", () => {
    for (const seed of SEEDS) assert.equal(isMalformed({ ...seed, itemHash: "ab".repeat(32) }), false);
  });

  test("senders that the chain cannot read", () => {
    const senders = [
      "",
      "1",
      "-",
      "-1",
      "X-",
      "NULSd",
      "NULS",
      "tNULSe1",
      "0x",
      "1".repeat(100_000),
      "\ud83d\ude00",
    ];
    for (const seed of SEEDS) {
      for (const sender of senders) assertRefusedOrValid({ ...seed, sender }, false);
    }
  });

  test("long texts", () => {
    for (const chain of CHAINS) {
      for (const unit of ["1", "f", "A", "[", '{"a":', "="]) {
        const signature = unit.repeat(100_000);
        const fields = {
          type: "POST",
          itemHash: "00",
          timeMicros: 0n,
          chain,
          sender: "1",
          signature,
        } as const;
        assertRefusedOrValid(fields, false);
      }
    }
  });
});
