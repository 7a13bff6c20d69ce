import { encodeAbiParameters, encodeDeployData, encodeFunctionData, type Hex } from "viem";
import {
  GREEDY_WALLET_ABI,
  GREEDY_WALLET_BYTECODE,
  TEST_WALLET_ABI,
  TEST_WALLET_BYTECODE,
  TEST_WALLET_FACTORY_ABI,
  TEST_WALLET_FACTORY_BYTECODE,
} from "./test-wallets-artefact.ts";

/* Contract wallets for chains of this machine: their holder signs for them as for any account. */

export function encodeWallet(owner: string): Hex {
  return encodeDeployData({ abi: TEST_WALLET_ABI, bytecode: TEST_WALLET_BYTECODE, args: [owner as Hex] });
}

export function encodeSetOwner(owner: string): Hex {
  return encodeFunctionData({ abi: TEST_WALLET_ABI, functionName: "setOwner", args: [owner as Hex] });
}

/** One that uses up whatever it is given. */
export function encodeGreedyWallet(): Hex {
  return encodeDeployData({ abi: GREEDY_WALLET_ABI, bytecode: GREEDY_WALLET_BYTECODE });
}

export function encodeWalletFactory(): Hex {
  return encodeDeployData({ abi: TEST_WALLET_FACTORY_ABI, bytecode: TEST_WALLET_FACTORY_BYTECODE });
}

const SALT: Hex = `0x${"26".repeat(32)}`;

/** Call of the factory that tells where the wallet of an owner is, or will be. */
export function encodeWalletAddress(owner: string): Hex {
  const args = [owner as Hex, SALT] as const;
  return encodeFunctionData({ abi: TEST_WALLET_FACTORY_ABI, functionName: "addressOf", args });
}

/** Call of the factory that makes it. */
export function encodeWalletCreation(owner: string): Hex {
  const args = [owner as Hex, SALT] as const;
  return encodeFunctionData({ abi: TEST_WALLET_FACTORY_ABI, functionName: "create", args });
}

/** The signature of a wallet that is not made yet. Source: ERC-6492. */
export function wrapSignature(factory: string, creation: Hex, signature: Hex): Hex {
  const parts = [{ type: "address" }, { type: "bytes" }, { type: "bytes" }] as const;
  return `${encodeAbiParameters(parts, [factory as Hex, creation, signature])}${"6492".repeat(16)}`;
}
