import { evmChecksumAddress, nobleCrypto } from "@twentysix/protocol";
import { CreditError } from "./errors.ts";

const EVM = /^0x[0-9a-fA-F]{40}$/;
const ANY = /^[^\s,]{1,128}$/;

/**
 * An address as ledgers write it: they compare exactly, and credits for another letter case would be nobody's. One of
 * Ethereum without mixed case gets it; where it is mixed it must be right.
 *
 * @throws CreditError CREDIT_ADDRESS_INVALID
 */
export function accountAddress(text: string): string {
  if (!ANY.test(text)) throw invalid(text, "is no address");
  if (!EVM.test(text)) return text;
  const address = evmChecksumAddress(text, nobleCrypto);
  const digits = text.slice(2);
  const isMixed = digits !== digits.toLowerCase() && digits !== digits.toUpperCase();
  if (isMixed && text !== address) {
    throw invalid(text, `has a mistake in it: with these digits it would be written ${address}`);
  }
  return address;
}

const invalid = (address: string, what: string): CreditError =>
  new CreditError("CREDIT_ADDRESS_INVALID", `${JSON.stringify(address.slice(0, 130))} ${what}`, { address });
