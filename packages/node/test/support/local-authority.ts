import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { PublishedAccount } from "./published-client.ts";

const require = createRequire(import.meta.url);
const ethereum: typeof import("@aleph-sdk/ethereum") = require("@aleph-sdk/ethereum");

/** An account of the local network, whose keys everybody knows, for the published client. */
export function localAuthority(role: string): PublishedAccount {
  const path = new URL("../../../../networks/local.json", import.meta.url);
  const { developmentAccounts } = JSON.parse(readFileSync(path, "utf8")) as {
    developmentAccounts: readonly { readonly role: string; readonly insecurePrivateKey: string }[];
  };
  const known = developmentAccounts.find((account) => account.role === role);
  if (known === undefined) throw new Error(`The local network has no account ${role}`);
  return ethereum.importAccountFromPrivateKey(known.insecurePrivateKey);
}
