import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { ed25519 } from "@noble/curves/ed25519.js";
import { bytesToNumberLE, numberToBytesLE } from "@noble/curves/utils.js";
import { sha512 } from "@noble/hashes/sha2.js";
import { concatBytes, hexToBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import fc from "fast-check";
import { PROVIDERS } from "./vectors.ts";

const { Point } = ed25519;
type EdPoint = InstanceType<typeof Point>;
const ORDER = Point.Fn.ORDER;
/** A generator of the eight points of small order. */
const TORSION = Point.fromHex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05");
const SECRET = 0x1234_5678_9abc_def0_1234_5678_9abc_def1n;
const NONCE = 0x0fed_cba9_8765_4321_0fed_cba9_8765_4321n;

interface Forged {
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly challenge: bigint;
}

/** Signs with a known scalar while key and R are written as the attacker likes. */
function forge(
  rBytes: Uint8Array,
  publicKey: Uint8Array,
  message: Uint8Array,
  scalars: [r: bigint, a: bigint],
): Forged {
  const challenge = bytesToNumberLE(sha512(concatBytes(rBytes, publicKey, message))) % ORDER;
  const s = (scalars[0] + challenge * scalars[1]) % ORDER;
  return { message, publicKey, challenge, signature: concatBytes(rBytes, numberToBytesLE(s, 32)) };
}

/** The first of the forgeries over numbered messages whose challenge satisfies `wanted`. */
function grind(make: (message: Uint8Array) => Forged, wanted: (challenge: bigint) => boolean): Forged {
  for (let attempt = 0; attempt < 1000; attempt += 1) {
    const forged = make(utf8ToBytes(`attempt ${attempt}`));
    if (wanted(forged.challenge)) return forged;
  }
  throw new Error("no message gives the wanted challenge");
}

function holdsWithCofactor({ message, signature, publicKey }: Forged): boolean {
  return ed25519.verify(signature, message, publicKey, { zip215: true });
}

const verdicts = ({ message, signature, publicKey }: Omit<Forged, "challenge">): boolean[] =>
  PROVIDERS.map(([, crypto]) => crypto.verifyEd25519(message, signature, publicKey));

const encodedBase = (scalar: bigint, torsion: EdPoint = Point.ZERO): Uint8Array =>
  Point.BASE.multiply(scalar).add(torsion).toBytes();

describe("Ed25519 as libsodium verifies it, both providers", () => {
  const path = new URL("../fixtures/ed25519-edge-cases.json", import.meta.url);
  const cases = JSON.parse(readFileSync(path, "utf8")) as readonly Record<string, string | boolean>[];
  for (const [index, { note, valid, message, publicKey, signature }] of cases.entries()) {
    test(`published edge case ${index}: ${note}`, () => {
      const bytes = [message, publicKey, signature].map((hex) => hexToBytes(String(hex)));
      const [m = new Uint8Array(), a = m, rs = m] = bytes;
      assert.deepEqual(verdicts({ message: m, publicKey: a, signature: rs }), [valid, valid]);
    });
  }

  test("a mixed-order key counts when its torsion vanishes from the equation", () => {
    const key = encodedBase(SECRET, TORSION);
    const r = encodedBase(NONCE);
    const make = (message: Uint8Array): Forged => forge(r, key, message, [NONCE, SECRET]);
    const plain = grind(make, (challenge) => challenge % 8n === 0n);
    assert.deepEqual(verdicts(plain), [true, true]);
    const twisted = grind(make, (challenge) => challenge % 8n !== 0n);
    assert.ok(holdsWithCofactor(twisted), "the vector must tell the two equations apart");
    assert.deepEqual(verdicts(twisted), [false, false]);
  });

  test("a mixed-order R, right with the cofactor alone, is refused", () => {
    const forged = forge(encodedBase(NONCE, TORSION), encodedBase(SECRET), utf8ToBytes("m"), [NONCE, SECRET]);
    assert.ok(holdsWithCofactor(forged));
    assert.deepEqual(verdicts(forged), [false, false]);
  });

  test("a mixed-order key and R whose torsions cancel are accepted", () => {
    const key = encodedBase(SECRET, TORSION);
    // R + kA = SB asks for R = rB - kT, and the challenge k depends on R: look for a k that fits.
    const candidates = Array.from({ length: 8 }, (_, multiple) => multiple);
    const found = candidates
      .slice(1)
      .flatMap((multiple) => {
        const torsion = TORSION.multiplyUnsafe(BigInt(multiple)).negate();
        return Array.from({ length: 40 }, (_, attempt) => ({
          multiple: BigInt(multiple),
          forged: forge(encodedBase(NONCE, torsion), key, utf8ToBytes(`${attempt}`), [NONCE, SECRET]),
        }));
      })
      .find(({ multiple, forged }) => forged.challenge % 8n === multiple);
    assert.ok(found);
    assert.deepEqual(verdicts(found.forged), [true, true]);
  });

  test("keys of small order, in every encoding, verify nothing", () => {
    const encodings = [
      "0000000000000000000000000000000000000000000000000000000000000000",
      "0100000000000000000000000000000000000000000000000000000000000000",
      "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
      "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
      "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ].flatMap((hex) => {
      const positive = hexToBytes(hex);
      const negative = positive.slice();
      negative[31] = (negative[31] ?? 0) | 0x80;
      return [positive, negative];
    });
    for (const key of encodings) {
      const make = (message: Uint8Array): Forged => forge(encodedBase(NONCE), key, message, [NONCE, 0n]);
      const forged = grind(make, (challenge) => challenge % 8n === 0n);
      assert.ok(holdsWithCofactor(forged), "the equation itself must hold");
      assert.deepEqual(verdicts(forged), [false, false]);
    }
  });

  test("an R of small order is refused where the equation holds", () => {
    for (let multiple = 0n; multiple < 8n; multiple += 1n) {
      const r = TORSION.multiplyUnsafe(multiple).toBytes();
      const forged = forge(r, encodedBase(SECRET), utf8ToBytes("m"), [0n, SECRET]);
      assert.ok(holdsWithCofactor(forged));
      assert.deepEqual(verdicts(forged), [false, false]);
    }
  });

  test("S plus the group order is refused, and so are wrong lengths", () => {
    const privateKey = new Uint8Array(32).fill(7);
    const message = utf8ToBytes("message");
    const signature = ed25519.sign(message, privateKey);
    const publicKey = ed25519.getPublicKey(privateKey);
    assert.deepEqual(verdicts({ message, signature, publicKey }), [true, true]);
    const s = bytesToNumberLE(signature.subarray(32)) + ORDER;
    const raised = concatBytes(signature.subarray(0, 32), numberToBytesLE(s, 32));
    assert.deepEqual(verdicts({ message, signature: raised, publicKey }), [false, false]);
    const order = concatBytes(signature.subarray(0, 32), numberToBytesLE(ORDER, 32));
    assert.deepEqual(verdicts({ message, signature: order, publicKey }), [false, false]);
    assert.deepEqual(verdicts({ message, signature: signature.subarray(1), publicKey }), [false, false]);
    assert.deepEqual(verdicts({ message, signature, publicKey: publicKey.subarray(1) }), [false, false]);
  });

  test("keys beyond the field prime and keys that are no point are refused", () => {
    const message = utf8ToBytes("message");
    const signature = ed25519.sign(message, new Uint8Array(32).fill(7));
    const beyond = hexToBytes(`f0${"ff".repeat(30)}7f`);
    const noPoint = hexToBytes(`02${"00".repeat(31)}`);
    assert.throws(() => Point.fromBytes(noPoint));
    assert.deepEqual(verdicts({ message, signature, publicKey: beyond }), [false, false]);
    assert.deepEqual(verdicts({ message, signature, publicKey: noPoint }), [false, false]);
  });

  test("the providers agree on any bytes", () => {
    const bytes = (size: number) => fc.uint8Array({ minLength: size, maxLength: size });
    fc.assert(
      fc.property(bytes(64), bytes(32), fc.uint8Array({ maxLength: 40 }), (signature, publicKey, message) => {
        const [noble, node] = verdicts({ message, signature, publicKey });
        assert.equal(noble, node);
      }),
      { numRuns: 60 },
    );
  });
});
