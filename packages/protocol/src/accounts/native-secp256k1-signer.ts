import { loadSecp256k1Binding } from "../signature/secp256k1-binding.ts";
import { nobleSecp256k1Signer, type Secp256k1Signer } from "./secp256k1-signer.ts";

/**
 * The fastest signer that this machine can run, for servers and benchmarks: libsecp256k1 where its binary really
 * loads, else pure JavaScript. Both give the same signatures; `implementation` says which it is.
 */
export function createNodeSecp256k1Signer(): Secp256k1Signer {
  const loaded = loadSecp256k1Binding();
  if (!loaded.ok) return { ...nobleSecp256k1Signer, implementation: `noble (${loaded.reason})` };
  const { binding } = loaded;
  return {
    implementation: "libsecp256k1",
    publicKey: (privateKey) => binding.publicKeyCreate(privateKey, false),
    sign(digest, privateKey) {
      const { signature, recid } = binding.ecdsaSign(digest, privateKey);
      return { rs: signature, recoveryId: recid };
    },
  };
}
