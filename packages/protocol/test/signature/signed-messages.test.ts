import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DEFAULT_SIGNATURE_SWITCHES } from "../../src/signature/switches.ts";
import { verifySignature } from "../../src/signature/verify-signature.ts";
import { PROVIDERS, SIGNED_VECTORS } from "./vectors.ts";

const switches = DEFAULT_SIGNATURE_SWITCHES;

test("the fixture holds the vectors that the specification counts", () => {
  const counts: Record<string, [valid: number, invalid: number]> = {};
  for (const { fields, valid } of SIGNED_VECTORS) {
    counts[fields.chain] ??= [0, 0];
    const count = counts[fields.chain];
    if (count) count[valid ? 0 : 1] += 1;
  }
  assert.deepEqual(counts, {
    ETH: [29, 7],
    SOL: [2, 5],
    DOT: [1, 2],
    CSDK: [1, 3],
    TEZOS: [2, 0],
    NULS: [1, 1],
    NULS2: [1, 0],
    AVAX: [1, 1],
  });
});

for (const [name, crypto] of PROVIDERS) {
  describe(`published messages, ${name} cryptography`, () => {
    for (const { label, valid, fields } of SIGNED_VECTORS) {
      test(`${valid ? "accepts" : "refuses"} ${label}`, () => {
        const verdict = verifySignature(fields, { crypto, switches });
        assert.equal(verdict.ok, valid);
        if (!verdict.ok) assert.equal(verdict.code, 1);
      });
    }
  });
}
