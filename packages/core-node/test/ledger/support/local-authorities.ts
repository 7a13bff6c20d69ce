import { createEvmAccount, type LocalAccount } from "@twentysix/protocol";
import { type Signed, signed } from "../../pipeline/support/signed.ts";
import { networkDefinition } from "../../pipeline/support/state-harness.ts";

const definition = networkDefinition("local");

/** The account whose key the local network publishes for an address. */
function developmentAccount(address: string): LocalAccount {
  const found = definition.developmentAccounts.find((account) => account.address === address);
  if (found === undefined) throw new Error(`The local network publishes no key of ${address}`);
  return createEvmAccount({ privateKey: Buffer.from(found.insecurePrivateKey, "hex") });
}

const { balances, credits, prices } = definition.authorities;
const CREDITS = { channel: "ALEPH_CREDIT" };

/** Tokens for addresses, on ETH at the height of that second. */
export function localBalances(time: number, tokens: Readonly<Record<string, number>>): Signed {
  const content = { chain: "ETH", main_height: Math.floor(time), balances: tokens };
  const publisher = developmentAccount(balances.addresses[0] ?? "");
  return signed(publisher, "POST", time, { type: balances.postType, content });
}

export function localGrant(time: number, address: string, amount: number): Signed {
  const entry = { address, amount, price: "0.0000573", tx_hash: "0xabc", provider: "ALEPH" };
  const content = { distribution: { token: "ALEPH", chain: "ETH", credits: [entry] } };
  const issuer = developmentAccount(credits.addresses[0] ?? "");
  return signed(issuer, "POST", time, { type: credits.distributionPostType, content }, CREDITS);
}

export function localPrices(time: number, content: object): Signed {
  return signed(developmentAccount(prices.address), "AGGREGATE", time, { key: prices.pricingKey, content });
}
