/** What `@twentysix/protocol` offers to Node alone: native code. A browser uses the main entry. */
export { createNodeSecp256k1Signer } from "./accounts/native-secp256k1-signer.ts";
export { createNodeCrypto } from "./signature/native-crypto.ts";
