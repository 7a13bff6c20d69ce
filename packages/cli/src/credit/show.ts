import { getBalance } from "@twentysix/sdk";
import { EXIT } from "../exit-codes.ts";
import type { CreditFlags } from "./credit-flags.ts";
import { addressOf, type CreditRequest, openCreditSession, printReport } from "./credit-session.ts";

/** Prints what an address has; gives the exit code. */
export async function show(request: Omit<CreditRequest, "amount">, flags: CreditFlags): Promise<number> {
  const { definition, services } = openCreditSession(request, flags);
  const address = addressOf(definition, request.address);
  const balance = await getBalance(services.connection, { address, signal: request.signal });
  const creditParts = balance.creditParts.map((part) => ({ ...part }));
  printReport(request.host, { address, ...balance, creditParts });
  return EXIT.ok;
}
