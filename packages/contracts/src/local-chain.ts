/** The door to chains of this machine: a program that runs beside, not for browsers. */
export { type Anvil, AnvilError, type AnvilOptions, anvilPath, startAnvil } from "./anvil.ts";
export { deployOnAnvil } from "./deploy-on-anvil.ts";
export {
  encodeGreedyWallet,
  encodeSetOwner,
  encodeWallet,
  encodeWalletAddress,
  encodeWalletCreation,
  encodeWalletFactory,
  wrapSignature,
} from "./test-wallets.ts";
