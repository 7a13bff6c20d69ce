import type { Account } from "../../src/accounts/account.ts";
import { createAvalancheAccount } from "../../src/accounts/avalanche-account.ts";
import { createCosmosAccount } from "../../src/accounts/cosmos-account.ts";
import { createEvmAccount, type EvmChain } from "../../src/accounts/evm-account.ts";
import { createNodeSecp256k1Signer } from "../../src/accounts/native-secp256k1-signer.ts";
import { createNulsAccount } from "../../src/accounts/nuls-account.ts";
import { createNuls2Account } from "../../src/accounts/nuls2-account.ts";
import { createSolanaAccount } from "../../src/accounts/solana-account.ts";
import { createSubstrateAccount } from "../../src/accounts/substrate-account.ts";
import { createTezosAccount } from "../../src/accounts/tezos-account.ts";
import { CHAIN_FAMILIES, CHAINS } from "../../src/chains.ts";
import type { SignedFields } from "../../src/envelope.ts";

export const EVM_CHAINS = CHAINS.filter((chain) => CHAIN_FAMILIES[chain] === "evm") as readonly EvmChain[];

/** One account of every kind there is, all from one private key, which is valid on every curve. */
export function everyAccount(privateKey: Uint8Array): readonly (readonly [kind: string, account: Account])[] {
  const signer = createNodeSecp256k1Signer();
  return [
    ...EVM_CHAINS.map((chain) => [chain, createEvmAccount({ privateKey, chain, signer })] as const),
    ["SOL", createSolanaAccount({ privateKey })],
    ["ES", createSolanaAccount({ privateKey, chain: "ES" })],
    ["DOT", createSubstrateAccount({ seed: privateKey })],
    ["DOT of Polkadot", createSubstrateAccount({ seed: privateKey, ss58Prefix: 0 })],
    ["DOT of a two-byte prefix", createSubstrateAccount({ seed: privateKey, ss58Prefix: 1284 })],
    ["CSDK", createCosmosAccount({ privateKey })],
    ["CSDK of osmosis", createCosmosAccount({ privateKey, hrp: "osmo" })],
    ["TEZOS tz1", createTezosAccount({ curve: "ed25519", privateKey })],
    ["TEZOS tz2", createTezosAccount({ curve: "secp256k1", privateKey })],
    ["TEZOS tz3", createTezosAccount({ curve: "p256", privateKey })],
    ["TEZOS tz1 micheline", createTezosAccount({ curve: "ed25519", privateKey, signingType: "micheline" })],
    [
      "TEZOS tz3 micheline of another application",
      createTezosAccount({
        curve: "p256",
        privateKey,
        signingType: "micheline",
        dAppUrl: "https://é.example",
      }),
    ],
    ["NULS", createNulsAccount({ privateKey })],
    ["NULS of chain 1", createNulsAccount({ privateKey, chainId: 1 })],
    ["NULS2", createNuls2Account({ privateKey })],
    ["NULS2 of the test network", createNuls2Account({ privateKey, chainId: 2 })],
    ["AVAX X", createAvalancheAccount({ privateKey, chainLetter: "X" })],
    ["AVAX P", createAvalancheAccount({ privateKey, chainLetter: "P" })],
  ];
}

/** The envelope fields that result when `account` signs, the time rounded as the account asks. */
export async function signedBy(
  account: Account,
  unsigned: Pick<SignedFields, "type" | "itemHash" | "timeMicros">,
): Promise<SignedFields & { readonly signature: string }> {
  const timeMicros = unsigned.timeMicros - (unsigned.timeMicros % account.timeStepMicros);
  const fields = { ...unsigned, timeMicros };
  return { ...fields, chain: account.chain, sender: account.address, signature: await account.sign(fields) };
}
