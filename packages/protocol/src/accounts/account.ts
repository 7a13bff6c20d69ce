import type { Chain } from "../chains.ts";
import type { Envelope } from "../envelope.ts";
import type { BufferFields } from "../signature/verification-buffer.ts";

/** What an account needs to know of an envelope to sign it; chain and sender are its own. */
export type FieldsToSign = Pick<Envelope, "type" | "itemHash" | "timeMicros">;

/** Someone who can sign messages: a key held here, a wallet in a browser, a device. */
export interface Account {
  readonly chain: Chain;
  /** The sender of its messages, in the chain's own text form. */
  readonly address: string;
  /**
   * The envelope time must be a multiple of this: 1000 where the signature covers the time in milliseconds, else 1.
   * Round the time down before signing, and send that same time.
   */
  readonly timeStepMicros: bigint;
  /** The `signature` text of the envelope. */
  sign(fields: FieldsToSign): Promise<string> | string;
}

/** An account whose private key is in this process: it signs at once. */
export interface LocalAccount extends Account {
  sign(fields: FieldsToSign): string;
}

/** An account that signs texts beside messages: what owners of machines prove themselves with. */
export interface TextAccount extends Account {
  /** Of Ethereum: as `personal_sign` does, `0x` and 130 hexadecimal digits. Of Solana: 128 hexadecimal digits. */
  signText(text: Uint8Array): Promise<string> | string;
}

/** The fields of the verification buffer when `account` signs. */
export function bufferFieldsOf(
  account: Pick<Account, "chain" | "address">,
  fields: FieldsToSign,
): BufferFields {
  return { chain: account.chain, sender: account.address, type: fields.type, itemHash: fields.itemHash };
}
