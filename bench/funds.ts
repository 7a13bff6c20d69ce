import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createEvmAccount, type LocalAccount } from "@twentysix/protocol";
import { SENDERS, senderAddress } from "./corpus.ts";

const network = JSON.parse(readFileSync(new URL("../networks/local.json", import.meta.url), "utf8")) as {
  readonly authorities: {
    readonly balances: { readonly addresses: readonly string[]; readonly postType: string };
  };
  readonly developmentAccounts: readonly { readonly address: string; readonly insecurePrivateKey: string }[];
};

/** More than the machines of any sender need. */
const TOKENS = 1e9;
/** Addresses in one post, so that it stays below the size of an inline content. */
const CHUNK = 2_000;

/** The account whose key the local network publishes for an address. */
export function localAuthority(address: string | undefined): LocalAccount {
  const found = network.developmentAccounts.find((account) => account.address === address);
  if (found === undefined) throw new Error(`The local network publishes no key of ${address}`);
  return createEvmAccount({ privateKey: Buffer.from(found.insecurePrivateKey, "hex") });
}

/** A signed POST as its envelope. */
export async function signedPost(
  account: LocalAccount,
  content: Readonly<Record<string, unknown>>,
  timeSeconds: number,
  channel: string,
): Promise<string> {
  const text = JSON.stringify({ address: account.address, time: timeSeconds, ...content });
  const itemHash = createHash("sha256").update(text).digest("hex");
  const timeMicros = BigInt(Math.round(timeSeconds * 1e6));
  const signature = await account.sign({ type: "POST", itemHash, timeMicros });
  return JSON.stringify({
    chain: "ETH",
    sender: account.address,
    type: "POST",
    channel,
    time: timeSeconds,
    item_type: "inline",
    item_content: text,
    item_hash: itemHash,
    signature,
  });
}

/** Publishes the balances of all senders of the corpus, so that their machines are paid for. */
export async function fundSenders(apiUrl: string): Promise<void> {
  await sendFunds(
    apiUrl,
    Array.from({ length: SENDERS }, (_, index) => senderAddress(index)),
  );
}

/** Publishes that addresses have more tokens than they need. */
export async function sendFunds(apiUrl: string, owners: readonly string[]): Promise<void> {
  const { addresses, postType } = network.authorities.balances;
  const account = localAuthority(addresses[0]);
  for (let from = 0; from < owners.length; from += CHUNK) {
    const balances = Object.fromEntries(owners.slice(from, from + CHUNK).map((owner) => [owner, TOKENS]));
    const content = { type: postType, content: { chain: "ETH", main_height: 1, balances } };
    const message = await signedPost(account, content, 1_700_000_000 + from / CHUNK, "BALANCES");
    const response = await fetch(`${apiUrl}/api/v0/messages`, {
      method: "POST",
      body: `{"sync":true,"message":${message}}`,
    });
    if (response.status !== 200) throw new Error(`The balances were not taken: ${await response.text()}`);
  }
}
