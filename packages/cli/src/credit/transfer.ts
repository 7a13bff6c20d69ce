import type { LocalAccount } from "@twentysix/protocol";
import { createTransferNonce, isSdkError, transferCredits } from "@twentysix/sdk";
import { developmentAccount, readKeyFile } from "@twentysix/services";
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

/** Sends credits and prints the receipt; gives the exit code. */
export async function transfer(request: CreditRequest, flags: TransferFlags): Promise<number> {
  const { host, signal, amount } = request;
  const { definition, services } = openCreditSession(request, flags);
  const { connection, credits } = services;
  const account = await senderOf({ definition }, flags, host);
  const nonce = flags.nonce ?? createTransferNonce(connection, account);
  const address = addressOf(definition, request.address);
  const expirationMs = expirationMsOf(flags.expires, host);
  const receipt = await transferCredits(connection, {
    account,
    entries: [{ address, amount }],
    nonce,
    expirationMs,
    postType: credits.transferPostType,
    channel: credits.channels[0] ?? null,
    signal,
  }).catch((error: unknown) => {
    throw withNonce(error, nonce);
  });
  const { itemHash, isNew, time, creditsLeft } = receipt;
  const portions = receipt.portions.map(({ amount: part, expirationDate }) => ({
    amount: part,
    expirationDate,
  }));
  const outcome = { itemHash, isNew, from: account.address, address, amount, expirationMs, nonce };
  printReport(host, { ...outcome, time, portions, creditsLeft });
  return EXIT.ok;
}

/** What ended a transfer of which nobody knows whether it arrived. */
const UNKNOWN_ENDS = ["SDK_NETWORK_ERROR", "SDK_TIMEOUT", "SDK_HTTP_ERROR", "SDK_BAD_ANSWER"] as const;

function withNonce(error: unknown, nonce: string): unknown {
  if (!(error instanceof Error) || !UNKNOWN_ENDS.some((code) => isSdkError(error, code))) return error;
  const message = `${error.message}; the transfer may have arrived: repeat it with --nonce ${nonce}`;
  return Object.assign(new Error(message, { cause: error }), { code: "CREDIT_OUTCOME_UNKNOWN" });
}

async function senderOf(
  { definition }: Pick<CreditSession, "definition">,
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
