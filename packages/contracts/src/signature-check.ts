import { encodeDeployData, type Hex } from "viem";
import { SIGNATURE_CHECK_ABI, SIGNATURE_CHECK_BYTECODE } from "./signature-check-artefact.ts";

/** Whether an account accepts a signature. */
export interface SignatureQuestion {
  /** `0x` and 40 hexadecimal digits. */
  readonly account: string;
  /** What was signed, 32 bytes: `0x…`. */
  readonly digest: string;
  /** Of ERC-1271, or wrapped as ERC-6492 says: `0x…`. */
  readonly signature: string;
}

/** Data of an `eth_call` without a recipient that asks it: the account need not be deployed yet. */
export function encodeSignatureCheck({ account, digest, signature }: SignatureQuestion): Hex {
  return encodeDeployData({
    abi: SIGNATURE_CHECK_ABI,
    bytecode: SIGNATURE_CHECK_BYTECODE,
    args: [account.toLowerCase() as Hex, digest as Hex, signature as Hex],
  });
}

/** The answer of that call; null when it is none. */
export function readSignatureCheck(result: unknown): boolean | null {
  if (result === "0x01") return true;
  return result === "0x00" ? false : null;
}
