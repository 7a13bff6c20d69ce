import type { LocalAccount } from "@twentysix/protocol";
import { developmentAccount, readKeyFile, transferCredits } from "@twentysix/services";
import type { CommandHost } from "../command-host.ts";
import { EXIT } from "../exit-codes.ts";
import type { CreditFlags } from "./credit-flags.ts";
import {
  absolutePath,
  addressOf,
  badFlag,
  type CreditRequest,
  type CreditSession,
  expirationMsOf,
  freshNonce,
  openCreditSession,
  printReport,
} from "./credit-session.ts";
import type { Expiry } from "./parse-credit-values.ts";

export interface TransferFlags extends CreditFlags {
  readonly from?: string;
  readonly keyFile?: string;
  readonly expires?: Expiry;
  readonly nonce?: string;
}

/** Sends credits and prints what came of it; gives the exit code. */
export async function transfer(request: CreditRequest, flags: TransferFlags): Promise<number> {
  const { host, signal, amount } = request;
  const session = openCreditSession(request, flags);
  const account = await senderOf(session, flags, host);
  const { nonce = freshNonce() } = flags;
  const address = addressOf(session.definition, request.address);
  const expirationMs = expirationMsOf(flags.expires, host);
  const { itemHash, isNew } = await transferCredits(
    session.services,
    { account, entries: [{ address, amount }], expirationMs, nonce },
    signal,
  );
  printReport(host, { itemHash, isNew, from: account.address, address, amount, expirationMs, nonce });
  return EXIT.ok;
}

async function senderOf(
  { definition }: CreditSession,
  { from, keyFile }: TransferFlags,
  host: CommandHost,
): Promise<LocalAccount> {
  if (keyFile !== undefined) {
    const [account] = await readKeyFile(absolutePath(keyFile, host), "--key-file");
    if (account !== undefined) return account;
  }
  const known = definition.developmentAccounts.find(({ role }) => role === from);
  if (known !== undefined) return developmentAccount(known);
  const roles = definition.developmentAccounts.map(({ role }) => role).join(", ");
  const choice = roles === "" ? "" : `, or --from with one of ${roles}`;
  throw badFlag("from", `who sends is not said: give --key-file${choice}`);
}
