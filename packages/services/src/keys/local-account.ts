import { createEvmAccount, createSolanaAccount, type LocalAccount } from "@twentysix/protocol";
import { createNodeSecp256k1Signer } from "@twentysix/protocol/node";

/**
 * An account of a private key of 32 bytes.
 *
 * @throws AccountError `private_key_invalid`
 */
export function localAccount(chain: "ETH" | "SOL", privateKey: Uint8Array): LocalAccount {
  if (chain === "SOL") return createSolanaAccount({ privateKey });
  return createEvmAccount({ privateKey, signer: createNodeSecp256k1Signer() });
}
