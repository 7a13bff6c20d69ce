import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { SignedFields } from "../../src/envelope.ts";
import { DEFAULT_SIGNATURE_SWITCHES } from "../../src/signature/switches.ts";
import { verifySignature } from "../../src/signature/verify-signature.ts";
import { PROVIDERS, vector } from "./vectors.ts";

const original = vector("ETH", "f524a258");
const digits = original.signature.slice(2);
const v = Number.parseInt(digits.slice(128), 16);
const withV = (value: number): string => `0x${digits.slice(0, 128)}${value.toString(16).padStart(2, "0")}`;

for (const [name, crypto] of PROVIDERS) {
  const verify = (changes: Partial<SignedFields>) =>
    verifySignature({ ...original, ...changes }, { crypto, switches: DEFAULT_SIGNATURE_SWITCHES });

  describe(`EVM signature texts, ${name}`, () => {
    const accepted: Record<string, string> = {
      "without 0x": digits,
      "upper case": `0x${digits.toUpperCase()}`,
      "upper case prefix": `0X${digits}`,
      "v less 27": withV(v - 27),
      "v plus 10 (EIP-155)": withV(v + 10),
      "v of a large chain id": withV(35 + ((v - 27) % 2) + 2 * 100),
    };
    for (const [title, signature] of Object.entries(accepted)) {
      test(`accepts ${title}`, () => assert.deepEqual(verify({ signature }), { ok: true }));
    }

    const refused: Record<string, string | null> = {
      "no signature": null,
      "an empty text": "",
      "the other parity": withV(v === 27 ? 28 : 27),
      "v of 2": withV(2),
      "v of 29": withV(29),
      "v of 34": withV(34),
      "64 bytes": `0x${digits.slice(0, 128)}`,
      "66 bytes": `0x${digits}00`,
      "a digit that is none": `0x${digits.slice(0, 129)}g`,
      "a space": `0x ${digits}`,
      "two prefixes": `0x0x${digits.slice(2)}`,
      "zero r": `0x${"0".repeat(64)}${digits.slice(64)}`,
      "zero s": `0x${digits.slice(0, 64)}${"0".repeat(64)}${digits.slice(128)}`,
      "r above the group order": `0x${"f".repeat(64)}${digits.slice(64)}`,
    };
    for (const [title, signature] of Object.entries(refused)) {
      test(`refuses ${title}`, () => {
        const verdict = verify({ signature });
        assert.equal(verdict.ok, false);
        assert.equal(!verdict.ok && verdict.code, 1);
      });
    }

    test("says what was recovered, what was expected, and the exact buffer", () => {
      const { sender } = original;
      const other = "0x51A58800b26AA1451aaA803d1746687cB88E0501";
      const verdict = verify({ sender: other });
      assert.ok(!verdict.ok && verdict.why);
      assert.equal(verdict.why.expectedAddress, other);
      assert.match(verdict.why.recoveredAddress ?? "", /^0x[0-9a-fA-F]{40}$/);
      assert.equal(verdict.why.buffer, `ETH\n${other}\nPOST\n${original.itemHash}`);
      // Undo the change and the recovered address is the sender again.
      assert.deepEqual(verify({ sender }), { ok: true });
    });

    test("a message signed by another key names the address of that key", () => {
      const verdict = verify({ sender: original.sender.toLowerCase() });
      // The lower-case sender was not what was signed, so another address comes out.
      assert.ok(!verdict.ok && verdict.why?.recoveredAddress);
      assert.notEqual(verdict.why.recoveredAddress.toLowerCase(), original.sender.toLowerCase());
    });
  });
}
