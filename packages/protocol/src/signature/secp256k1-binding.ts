import { createRequire } from "node:module";

/** The part that we use of the npm package `secp256k1`, which brings no types. All functions throw on bad input. */
export interface Secp256k1Binding {
  ecdsaRecover(
    signature: Uint8Array,
    recoveryId: number,
    digest: Uint8Array,
    compressed: boolean,
  ): Uint8Array;
  ecdsaVerify(signature: Uint8Array, digest: Uint8Array, publicKey: Uint8Array): boolean;
  ecdsaSign(digest: Uint8Array, privateKey: Uint8Array): { signature: Uint8Array; recid: number };
  /** In place: an s in the upper half of the order becomes the order less s. */
  signatureNormalize(signature: Uint8Array): Uint8Array;
  publicKeyCreate(privateKey: Uint8Array, compressed: boolean): Uint8Array;
}

export type BindingResult =
  | { readonly ok: true; readonly binding: Secp256k1Binding }
  | { readonly ok: false; readonly reason: string };

/**
 * Loads libsecp256k1 itself. The package's main entry replaces a binary that is missing by a slow JavaScript
 * library without a word, so the entry of the binary is asked for directly, and must then reproduce a known key
 * and a known recovery.
 */
export function loadSecp256k1Binding(): BindingResult {
  const require = createRequire(import.meta.url);
  let binding: Secp256k1Binding;
  try {
    binding = require("secp256k1/bindings.js") as Secp256k1Binding;
  } catch (error) {
    return { ok: false, reason: `no binary for this platform: ${String(error)}` };
  }
  try {
    if (passesSelfTest(binding)) return { ok: true, binding };
  } catch (error) {
    return { ok: false, reason: `the binary loads but fails its self-test: ${String(error)}` };
  }
  return { ok: false, reason: "the binary loads but fails its self-test" };
}

/** Private key 1 has the generator as its public key, and a signature must lead back to it. */
function passesSelfTest(binding: Secp256k1Binding): boolean {
  const privateKey = new Uint8Array(32);
  privateKey[31] = 1;
  const digest = new Uint8Array(32).fill(0x5a);
  const publicKey = binding.publicKeyCreate(privateKey, false);
  const generatorX = "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";
  if (Buffer.from(publicKey.subarray(1, 33)).toString("hex") !== generatorX) return false;
  const { signature, recid } = binding.ecdsaSign(digest, privateKey);
  return (
    binding.ecdsaVerify(signature, digest, publicKey) &&
    Buffer.compare(binding.ecdsaRecover(signature, recid, digest, false), publicKey) === 0
  );
}
