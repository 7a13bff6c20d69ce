import { createPublicKey, hash, type KeyObject, verify } from "node:crypto";
import { createRequire } from "node:module";
import type { CryptoProvider } from "./crypto-provider.ts";
import { passesEd25519Rules } from "./ed25519-rules.ts";
import { nobleCrypto } from "./noble-crypto.ts";
import { loadSecp256k1Binding, type Secp256k1Binding } from "./secp256k1-binding.ts";
import { isRecoveryId, isSecp256k1KeyForm } from "./secp256k1-form.ts";

/** The one function of the library: the whole of it is 25 times as much. */
const { createKeccak } = createRequire(import.meta.url)("hash-wasm/dist/keccak.umd.min.js") as Pick<
  typeof import("hash-wasm"),
  "createKeccak"
>;

/** Five times as fast as pure JavaScript; OpenSSL as Node builds it has no Keccak. */
const keccak = await createKeccak(256);

/**
 * The fastest provider that this machine can run: libsecp256k1 where its binary really loads, else pure
 * JavaScript; Keccak in WebAssembly; Ed25519 and SHA-256 from the runtime's OpenSSL. `implementation` says which, with the reason of a
 * fallback: log it.
 */
export function createNodeCrypto(): CryptoProvider {
  const loaded = loadSecp256k1Binding();
  const secp256k1 = loaded.ok ? "libsecp256k1" : `noble (${loaded.reason})`;
  const curve = loaded.ok ? secp256k1Operations(loaded.binding) : nobleCrypto;
  return {
    implementation: { secp256k1, ed25519: "node:crypto" },
    sha256: (data) => hash("sha256", data, "buffer"),
    keccak256: (data) => keccak.init().update(data).digest("binary"),
    recoverSecp256k1: curve.recoverSecp256k1,
    verifySecp256k1: curve.verifySecp256k1,
    verifyEd25519,
  };
}

function secp256k1Operations(
  binding: Secp256k1Binding,
): Pick<CryptoProvider, "recoverSecp256k1" | "verifySecp256k1"> {
  return {
    recoverSecp256k1(digest, signature, recoveryId) {
      if (digest.length !== 32 || signature.length !== 64 || !isRecoveryId(recoveryId)) return null;
      try {
        return binding.ecdsaRecover(signature, recoveryId, digest, false);
      } catch {
        // The lengths are right, so what the library refuses here is r, s, or the point that they give.
        return null;
      }
    },
    verifySecp256k1(digest, signature, publicKey, options) {
      if (digest.length !== 32 || signature.length !== 64 || !isSecp256k1KeyForm(publicKey)) return false;
      try {
        // The library refuses every high s. Where the protocol accepts one, its low twin is verified instead.
        const checked = options.lowS ? signature : binding.signatureNormalize(signature.slice());
        return binding.ecdsaVerify(checked, digest, publicKey);
      } catch {
        // The lengths are right, so what the library refuses here is r, s, or a key off the curve.
        return false;
      }
    },
  };
}

/** SubjectPublicKeyInfo of an Ed25519 key, up to the 32 bytes of the key. Source: RFC 8410. */
const SPKI_PREFIX = Buffer.from("302a300506032b6570032100", "hex");

/** OpenSSL computes R and compares its bytes, without the cofactor, as libsodium does; the rules are ours to add. */
function verifyEd25519(message: Uint8Array, signature: Uint8Array, publicKey: Uint8Array): boolean {
  if (!passesEd25519Rules(signature, publicKey)) return false;
  return verify(null, message, importEd25519Key(publicKey), signature);
}

/** Any 32 bytes make a key object: whether they are a point is found out when verifying. */
function importEd25519Key(publicKey: Uint8Array): KeyObject {
  const key = Buffer.concat([SPKI_PREFIX, publicKey]);
  return createPublicKey({ key, format: "der", type: "spki" });
}
