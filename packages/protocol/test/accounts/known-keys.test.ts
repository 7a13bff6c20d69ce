import assert from "node:assert/strict";
import { test } from "node:test";
import { hexToBytes } from "@noble/hashes/utils.js";
import { AccountError, type AccountErrorCode } from "../../src/accounts/account-error.ts";
import { createAvalancheAccount } from "../../src/accounts/avalanche-account.ts";
import { createCosmosAccount } from "../../src/accounts/cosmos-account.ts";
import { createEvmAccount } from "../../src/accounts/evm-account.ts";
import { createNulsAccount } from "../../src/accounts/nuls-account.ts";
import { createNuls2Account } from "../../src/accounts/nuls2-account.ts";
import { createSolanaAccount } from "../../src/accounts/solana-account.ts";
import { createSubstrateAccount } from "../../src/accounts/substrate-account.ts";
import { createTezosAccount } from "../../src/accounts/tezos-account.ts";

const key = new Uint8Array(32).fill(1);
const toSign = { type: "POST", itemHash: "00", timeMicros: 1_663_944_079_029_000n } as const;

test("the first development key of EVM tools has its well-known address", () => {
  const privateKey = hexToBytes("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80");
  assert.equal(createEvmAccount({ privateKey }).address, "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
});

test("the development seed of Substrate has its well-known address", () => {
  const seed = hexToBytes("e5be9a5092b81bca64be81d212e7f2f9eba183bb7a90954f7b76361f6edb5c0a");
  assert.equal(createSubstrateAccount({ seed }).address, "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY");
});

test("signature texts have the form that the specification gives", () => {
  assert.match(createEvmAccount({ privateKey: key }).sign(toSign), /^0x[0-9a-f]{128}1[bc]$/);
  const dot = JSON.parse(createSubstrateAccount({ seed: key }).sign(toSign));
  assert.equal(dot.curve, "sr25519");
  assert.match(dot.data, /^0x[0-9a-f]{128}$/);
  const solana = createSolanaAccount({ privateKey: key });
  assert.equal(JSON.parse(solana.sign(toSign)).publicKey, solana.address);
  const cosmos = JSON.parse(createCosmosAccount({ privateKey: key }).sign(toSign));
  assert.deepEqual(Object.keys(cosmos), ["signature", "pub_key", "account_number", "sequence"]);
  assert.equal(cosmos.pub_key.type, "tendermint/PubKeySecp256k1");
  assert.match(
    createAvalancheAccount({ privateKey: key, chainLetter: "P" }).address,
    /^P-avax1[0-9a-z]{38}$/,
  );
  assert.match(createNuls2Account({ privateKey: key }).address, /^NULSd6H/);
  assert.match(createNuls2Account({ privateKey: key, chainId: 2 }).address, /^tNULSe/);
});

test("the prefixes of Tezos keys, addresses and signatures tell the curve", () => {
  for (const [curve, address, publicKey, signature] of [
    ["ed25519", /^tz1/, /^edpk/, /^edsig/],
    ["secp256k1", /^tz2/, /^sppk/, /^spsig1/],
    ["p256", /^tz3/, /^p2pk/, /^p2sig/],
  ] as const) {
    const account = createTezosAccount({ curve, privateKey: key });
    const text = JSON.parse(account.sign(toSign));
    assert.match(account.address, address);
    assert.match(text.publicKey, publicKey);
    assert.match(text.signature, signature);
  }
});

test("a Solana key of 64 bytes is the account of its first half", () => {
  const { address } = createSolanaAccount({ privateKey: key });
  const exported = hexToBytes(
    `${"01".repeat(32)}8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c`,
  );
  assert.equal(createSolanaAccount({ privateKey: exported }).address, address);
  exported[63] = 0;
  assert.throws(() => createSolanaAccount({ privateKey: exported }), refusal("private_key_invalid"));
});

function refusal(code: AccountErrorCode): (error: unknown) => boolean {
  return (error) => error instanceof AccountError && error.code === code && error.message.length > 20;
}

test("private keys that are none are refused with a code", () => {
  const zero = new Uint8Array(32);
  const short = new Uint8Array(31).fill(1);
  const beyond = new Uint8Array(32).fill(255);
  const factories = [
    (privateKey: Uint8Array) => createEvmAccount({ privateKey }),
    (privateKey: Uint8Array) => createCosmosAccount({ privateKey }),
    (privateKey: Uint8Array) => createNulsAccount({ privateKey }),
    (privateKey: Uint8Array) => createNuls2Account({ privateKey }),
    (privateKey: Uint8Array) => createAvalancheAccount({ privateKey, chainLetter: "X" }),
    (privateKey: Uint8Array) => createTezosAccount({ curve: "secp256k1", privateKey }),
    (privateKey: Uint8Array) => createTezosAccount({ curve: "p256", privateKey }),
  ];
  for (const factory of factories) {
    for (const bad of [zero, short, beyond])
      assert.throws(() => factory(bad), refusal("private_key_invalid"));
  }
  assert.throws(
    () => createTezosAccount({ curve: "ed25519", privateKey: short }),
    refusal("private_key_invalid"),
  );
  assert.throws(() => createSolanaAccount({ privateKey: short }), refusal("private_key_invalid"));
  assert.throws(() => createSubstrateAccount({ seed: short }), refusal("private_key_invalid"));
});

test("address prefixes that no wallet reads are refused", () => {
  for (const hrp of ["", "1", "COSMOS", "a b"]) {
    assert.throws(() => createCosmosAccount({ privateKey: key, hrp }), refusal("address_prefix_invalid"));
  }
  for (const ss58Prefix of [-1, 1.5, 16_384]) {
    assert.throws(() => createSubstrateAccount({ seed: key, ss58Prefix }), refusal("address_prefix_invalid"));
  }
});

test("micheline refuses a time that its signature cannot carry", () => {
  const account = createTezosAccount({ curve: "ed25519", privateKey: key, signingType: "micheline" });
  assert.throws(() => account.sign({ ...toSign, timeMicros: 1n }), refusal("time_too_precise"));
  assert.throws(() => account.sign({ ...toSign, timeMicros: 10n ** 21n }), refusal("time_too_precise"));
});
