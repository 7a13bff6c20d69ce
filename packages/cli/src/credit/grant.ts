import type { LocalAccount } from "@twentysix/protocol";
import { accountAmong, CreditError, grantCredits, readKeyFile } from "@twentysix/services";
import type { CommandHost } from "../command-host.ts";
import { EXIT } from "../exit-codes.ts";
import type { CreditFlags } from "./credit-flags.ts";
import {
  absolutePath,
  addressOf,
  type CreditRequest,
  type CreditSession,
  expirationMsOf,
  freshNonce,
  openCreditSession,
  printReport,
} from "./credit-session.ts";
import type { Expiry } from "./parse-credit-values.ts";

export interface GrantFlags extends CreditFlags {
  readonly expires?: Expiry;
  readonly keyFile?: string;
  readonly nonce?: string;
}

/** Issues credits and prints what came of it; gives the exit code. */
export async function grant(request: CreditRequest, flags: GrantFlags): Promise<number> {
  const { host, signal, amount } = request;
  const session = openCreditSession(request, flags);
  const account = await authorityOf(session, flags, host);
  const { nonce = freshNonce() } = flags;
  const address = addressOf(session.definition, request.address);
  const expirationMs = expirationMsOf(flags.expires, host);
  const { itemHash, isNew } = await grantCredits(
    session.services,
    { account, entries: [{ address, amount }], expirationMs, nonce, origin: "grant" },
    signal,
  );
  printReport(host, { itemHash, isNew, address, amount, expirationMs, nonce });
  return EXIT.ok;
}

async function authorityOf(
  { definition }: CreditSession,
  { keyFile }: GrantFlags,
  host: CommandHost,
): Promise<LocalAccount> {
  const { addresses } = definition.authorities.credits;
  const accounts = keyFile === undefined ? [] : await readKeyFile(absolutePath(keyFile, host), "--key-file");
  const account = accountAmong(addresses, definition, accounts);
  if (account !== null) return account;
  const where = keyFile === undefined ? "give it by --key-file" : `${keyFile} does not have it`;
  throw new CreditError(
    "CREDIT_KEY_MISSING",
    `only ${addresses.join(", ")} can issue credits on ${definition.name}, and its key is not here: ${where}`,
    { addresses },
  );
}
