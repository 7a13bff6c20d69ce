import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { p256 } from "@noble/curves/nist.js";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import fc from "fast-check";
import { CHAIN_FAMILIES, CHAINS } from "../../src/chains.ts";
import { MESSAGE_TYPES } from "../../src/envelope.ts";
import { DEFAULT_SIGNATURE_SWITCHES } from "../../src/signature/switches.ts";
import { verifySignature } from "../../src/signature/verify-signature.ts";
import { PROVIDERS } from "../signature/vectors.ts";
import { everyAccount, signedBy } from "./every-account.ts";

const switches = DEFAULT_SIGNATURE_SWITCHES;
const privateKeys = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .filter((key) => secp256k1.utils.isValidSecretKey(key) && p256.utils.isValidSecretKey(key));
const unsigned = fc.record({
  type: fc.constantFrom(...MESSAGE_TYPES),
  itemHash: fc.string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: 64, maxLength: 64 }),
  timeMicros: fc.bigInt({ min: 0n, max: 253_402_300_799_999_999n }),
});
const RUNS = { numRuns: 3 };

describe("sign and verify", () => {
  test("there is an account for every chain that has a verifier", () => {
    const covered = new Set(everyAccount(new Uint8Array(32).fill(1)).map(([, account]) => account.chain));
    assert.deepEqual(
      [...covered].sort(),
      CHAINS.filter((chain) => CHAIN_FAMILIES[chain] !== "none"),
    );
  });

  for (const [name, crypto] of PROVIDERS) {
    test(`what every account signs verifies, ${name}`, async () => {
      await fc.assert(
        fc.asyncProperty(privateKeys, unsigned, async (privateKey, fields) => {
          for (const [kind, account] of everyAccount(privateKey)) {
            const verdict = verifySignature(await signedBy(account, fields), { crypto, switches });
            assert.deepEqual(verdict, { ok: true }, kind);
          }
        }),
        RUNS,
      );
    });

    test(`changing any signed field makes it invalid, ${name}`, async () => {
      await fc.assert(
        fc.asyncProperty(privateKeys, unsigned, async (privateKey, fields) => {
          const others = everyAccount(privateKey.map((byte, index) => (index === 31 ? byte ^ 1 : byte)));
          for (const [index, [kind, account]] of everyAccount(privateKey).entries()) {
            const signed = await signedBy(account, fields);
            const firstDigit = signed.itemHash.startsWith("0") ? "1" : "0";
            const changes = [
              { type: signed.type === "POST" ? ("STORE" as const) : ("POST" as const) },
              { itemHash: firstDigit + signed.itemHash.slice(1) },
              { sender: others[index]?.[1].address ?? "" },
              { sender: `${signed.sender} ` },
              { chain: CHAINS[(CHAINS.indexOf(signed.chain) + 1) % CHAINS.length] ?? signed.chain },
            ];
            for (const change of changes) {
              const verdict = verifySignature({ ...signed, ...change }, { crypto, switches });
              assert.equal(verdict.ok, false, `${kind} ${Object.keys(change)}`);
            }
          }
        }),
        { numRuns: 1 },
      );
    });
  }

  test("signing is deterministic", async () => {
    await fc.assert(
      fc.asyncProperty(privateKeys, unsigned, async (privateKey, fields) => {
        const again = everyAccount(privateKey);
        for (const [index, [kind, account]] of everyAccount(privateKey).entries()) {
          const twin = again[index]?.[1] ?? account;
          assert.deepEqual(await signedBy(account, fields), await signedBy(twin, fields), kind);
        }
      }),
      { numRuns: 1 },
    );
  });

  test("a micheline signature covers the time in milliseconds, a raw one does not", async () => {
    const fields = { type: "POST", itemHash: "00", timeMicros: 1_663_944_079_029_000n } as const;
    for (const [kind, account] of everyAccount(new Uint8Array(32).fill(1))) {
      const signed = await signedBy(account, fields);
      for (const [, crypto] of PROVIDERS) {
        const accepts = (timeMicros: bigint): boolean =>
          verifySignature({ ...signed, timeMicros }, { crypto, switches }).ok;
        assert.equal(accepts(signed.timeMicros + 999n), true, kind);
        assert.equal(accepts(signed.timeMicros + 1000n), !kind.includes("micheline"), kind);
      }
    }
  });
});
