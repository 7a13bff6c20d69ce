import {
  createEvmAccount,
  createSolanaAccount,
  type DevelopmentAccount,
  decodeLowerHex,
  type LocalAccount,
} from "@twentysix/protocol";

/** The account whose private key a network publishes. */
export function developmentAccount({ chain, insecurePrivateKey }: DevelopmentAccount): LocalAccount {
  const privateKey = decodeLowerHex(insecurePrivateKey);
  return chain === "SOL" ? createSolanaAccount({ privateKey }) : createEvmAccount({ privateKey });
}
