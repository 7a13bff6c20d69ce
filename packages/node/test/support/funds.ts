import { readFileSync } from "node:fs";
import { createEvmAccount, type LocalAccount } from "@twentysix/protocol";
import { putRaw } from "./raw-messages.ts";

const network = JSON.parse(
  readFileSync(new URL("../../../../networks/local.json", import.meta.url), "utf8"),
) as {
  readonly authorities: {
    readonly balances: { readonly addresses: readonly string[]; readonly postType: string };
    readonly credits: { readonly addresses: readonly string[]; readonly distributionPostType: string };
  };
  readonly developmentAccounts: readonly { readonly address: string; readonly insecurePrivateKey: string }[];
};

/** The account whose key the local network publishes for an address. */
export function localAccount(address: string | undefined): LocalAccount {
  const found = network.developmentAccounts.find((account) => account.address === address);
  if (found === undefined) throw new Error(`The local network publishes no key of ${address}`);
  return createEvmAccount({ privateKey: Buffer.from(found.insecurePrivateKey, "hex") });
}

let height = Math.floor(Date.now() / 1_000);

/** Gives addresses tokens, as the authority of the local network says it. */
export async function giveTokens(
  node: { readonly apiUrl: string },
  balances: Readonly<Record<string, number>>,
): Promise<void> {
  const { addresses, postType } = network.authorities.balances;
  height += 1;
  const content = { chain: "ETH", main_height: height, balances };
  await putRaw(node, {
    type: "POST",
    account: localAccount(addresses[0]),
    members: `"type":"${postType}","content":${JSON.stringify(content)}`,
    time: String(height),
  });
}

/** Gives an address credits; `expiration` in milliseconds. */
export async function giveCredits(
  node: { readonly apiUrl: string },
  address: string,
  amount: number,
  expiration: number | null = null,
): Promise<void> {
  const { addresses, distributionPostType } = network.authorities.credits;
  height += 1;
  const credits = [{ address, amount, price: "0.00001", tx_hash: "0x1", provider: "test", expiration }];
  const content = { distribution: { token: "TEST", chain: "ETH", credits } };
  await putRaw(node, {
    type: "POST",
    account: localAccount(addresses[0]),
    channel: "ALEPH_CREDIT",
    members: `"type":"${distributionPostType}","content":${JSON.stringify(content)}`,
    time: String(height),
  });
}
