import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { CHAINS, type Chain } from "../../src/chains.ts";
import { signatureIdentity } from "../../src/signature/signature-identity.ts";
import { decodeTezosSignature } from "../../src/signature/tezos-encoding.ts";
import { everyAccount, signedBy } from "../accounts/every-account.ts";
import { SIGNED_VECTORS, vector } from "./vectors.ts";

const unsigned = { type: "POST", itemHash: "ab".repeat(32), timeMicros: 0n } as const;

function assertSame(chain: Chain, texts: readonly string[]): void {
  const identities = new Set(texts.map((text) => signatureIdentity(chain, text)));
  assert.equal(identities.size, 1, [...identities].join("\n"));
}

/** The same JSON object with its keys the other way round, spaces, and a key that nobody reads. */
function rewritten(text: string): string {
  const entries = Object.entries(JSON.parse(text)).reverse();
  return JSON.stringify(Object.fromEntries([["unread", 1], ...entries]), null, 2);
}

describe("signature identity", () => {
  test("EVM: prefix, letter case and the ways to write v make no difference", () => {
    const digits = vector("ETH", "f524a258").signature.slice(2);
    const rs = digits.slice(0, 128);
    const v = Number.parseInt(digits.slice(128), 16) - 27;
    const texts = [v, 27 + v, 35 + v, 37 + v, 35 + 2 * 100 + v].flatMap((value) => {
      const text = rs + value.toString(16).padStart(2, "0");
      return [text, `0x${text}`, `0X${text.toUpperCase()}`];
    });
    for (const chain of ["ETH", "BASE", "AURORA", "AVAX"] as const) assertSame(chain, texts);
    const other = rs + (28 - v).toString(16);
    assert.notEqual(signatureIdentity("ETH", other), signatureIdentity("ETH", digits));
  });

  test("EVM: a leading zero may be left out", () => {
    const text = `0${"1".repeat(127)}1b`;
    assertSame("ETH", [text, text.slice(1), `0x${text}`, `0x${text.slice(1)}`]);
  });

  test("JSON texts: order, spaces and unread keys make no difference", async () => {
    for (const [, account] of everyAccount(new Uint8Array(32).fill(2))) {
      const { chain, signature } = await signedBy(account, unsigned);
      if (signature.startsWith("{")) assertSame(chain, [signature, rewritten(signature)]);
    }
  });

  test("JSON texts: what is implied may be written out", () => {
    const sol = vector("SOL", "6dc1b023").signature;
    assertSame("SOL", [sol, JSON.stringify({ ...JSON.parse(sol), version: 1 })]);
    const dot = JSON.parse(vector("DOT", "bfbc94fa").signature);
    const data = String(dot.data);
    assertSame("DOT", [
      JSON.stringify(dot),
      JSON.stringify({ data }),
      JSON.stringify({ data: `0x${data.slice(2).toUpperCase()}` }),
      JSON.stringify({ data: data.slice(2) }),
    ]);
    const tezos = JSON.parse(vector("TEZOS", "41de1a77").signature);
    assertSame("TEZOS", [
      JSON.stringify({ signature: tezos.signature, publicKey: tezos.publicKey }),
      JSON.stringify({ signature: tezos.signature, publicKey: tezos.publicKey, signingType: "raw" }),
      JSON.stringify({ signature: tezos.signature, publicKey: tezos.publicKey, dAppUrl: "unsigned" }),
    ]);
  });

  test("TEZOS: micheline of another application is another signature", () => {
    const object = JSON.parse(vector("TEZOS", "72b2722b").signature);
    assert.ok(decodeTezosSignature(object.signature));
    assert.notEqual(
      signatureIdentity("TEZOS", JSON.stringify(object)),
      signatureIdentity("TEZOS", JSON.stringify({ ...object, dAppUrl: "https://other.example" })),
    );
  });

  test("NULS and NULS2: letter case, long length prefixes and skipped characters make no difference", () => {
    const nuls = vector("NULS", "84afd848").signature;
    assertSame("NULS", [nuls, nuls.toUpperCase(), `fd2100${nuls.slice(2)}`]);
    const nuls2 = vector("NULS2", "43094c33").signature;
    assertSame("NULS2", [nuls2, `${nuls2}\n`, nuls2.replace("=", "\n=")]);
  });

  test("different signatures have different identities", () => {
    const seen = new Map<string, string>();
    for (const { fields } of SIGNED_VECTORS) {
      const identity = signatureIdentity(fields.chain, fields.signature);
      assert.equal(seen.get(identity) ?? fields.signature, fields.signature);
      seen.set(identity, fields.signature);
    }
    assert.ok(seen.size > 30);
  });

  test("a text that cannot be read is equal to itself alone", () => {
    const texts = fc.string({ maxLength: 60 });
    fc.assert(
      fc.property(fc.constantFrom(...CHAINS), texts, texts, (chain, left, right) => {
        const same = signatureIdentity(chain, left) === signatureIdentity(chain, right);
        assert.equal(same, left === right);
      }),
    );
  });
});
