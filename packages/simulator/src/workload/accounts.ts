import { createHash } from "node:crypto";
import { createEvmAccount, type LocalAccount } from "@twentysix/protocol";
import { createNodeSecp256k1Signer } from "@twentysix/protocol/node";

const signer = createNodeSecp256k1Signer();

/** An account of the simulation by its name. */
export function accountOf(name: string): LocalAccount {
  const privateKey = createHash("sha256").update(`key of ${name} in a simulation`).digest();
  return createEvmAccount({ privateKey, signer });
}

/** Whose messages nodes believe about money. */
export const AUTHORITIES = {
  balances: accountOf("who publishes balances"),
  credits: accountOf("who issues credits"),
  prices: accountOf("who sets prices"),
};
