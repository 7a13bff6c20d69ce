import type { Account } from "@twentysix/protocol";
import type { Connection } from "../connection.ts";
import { invalidInput, isSdkError, SdkError } from "../errors.ts";
import { uploadFile } from "../files/upload-file.ts";
import { buildMessage } from "../messages/build-message.ts";
import { submitMessage } from "../messages/submit-message.ts";
import { waitForStatus } from "../messages/wait-for-status.ts";
import { type CreditEntry, creditNonceTag, findCreditRequest } from "./credit-request.ts";
import { timeOfNonce } from "./transfer-nonce.ts";
import { readTransferReceipt, type TransferReceipt } from "./transfer-receipt.ts";

export interface TransferCreditsParameters {
  /** Who sends. */
  readonly account: Account;
  readonly entries: readonly CreditEntry[];
  /** The same nonce and entries are sent once. Make it with `createTransferNonce` and keep it until the receipt is there. */
  readonly nonce: string;
  /** Unix milliseconds; without it, as long as the credits of the sender last. Never longer than those. */
  readonly expirationMs?: number | null | undefined;
  /** Of the network: those of the public one by default. */
  readonly postType?: string | undefined;
  readonly channel?: string | null | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Source: pyaleph `src/aleph/config.py`. */
const DEFAULT_POST_TYPE = "aleph_credit_transfer";
const DEFAULT_CREDIT_CHANNEL = "ALEPH_CREDIT";
/** Below it are seconds that were meant to be milliseconds: nodes refuse them. */
const MIN_EXPIRATION_MS = 1e11;

/**
 * Sends credits and gives the receipt once the node has applied it. With a nonce of `createTransferNonce` a repetition
 * is the same message, whoever makes it and whether or not the first is known to have arrived; with another text it is
 * recognised as soon as the first has been applied.
 *
 * Errors: SDK_CREDITS_INSUFFICIENT, SDK_NONCE_REUSED, SDK_INVALID_INPUT, those of `submitMessage`, `waitForStatus`,
 * `listPosts` and `getBalance`. After SDK_REJECTED and SDK_CREDITS_INSUFFICIENT nothing was sent: take a new nonce.
 * After any other, repeat it with the same.
 *
 * @example
 * const nonce = createTransferNonce(connection, account);
 * const { itemHash, creditsLeft } = await transferCredits(connection, {
 *   account, entries: [{ address: friend, amount: 250_000n }], nonce,
 * });
 */
export async function transferCredits(
  connection: Connection,
  parameters: TransferCreditsParameters,
): Promise<TransferReceipt> {
  checkInput(parameters);
  const { account, entries, nonce, postType = DEFAULT_POST_TYPE, signal } = parameters;
  const owner = account.address;
  const request = { kind: "transfer" as const, postType, owner, nonce, entries, signal };
  const earlier = await findCreditRequest(connection, request);
  if (earlier !== null && !earlier.isSame) throw nonceReused(earlier.itemHash);
  const itemHash = earlier?.itemHash ?? (await send(connection, parameters, postType));
  return readTransferReceipt(connection, {
    itemHash,
    isNew: earlier === null,
    sender: owner,
    addresses: entries.map(({ address }) => address),
    signal,
  });
}

function checkInput({ account, entries, nonce, expirationMs }: TransferCreditsParameters): void {
  const isSeconds = typeof expirationMs === "number" && expirationMs > 0 && expirationMs < MIN_EXPIRATION_MS;
  if (isSeconds) {
    throw invalidInput(
      "expirationMs",
      `expirationMs is ${expirationMs}, which looks like seconds; give milliseconds`,
    );
  }
  if (nonce === "") throw invalidInput("nonce", "the nonce is empty; make one with createTransferNonce");
  const addresses = entries.map(({ address }) => address);
  if (addresses.length === 0) throw invalidInput("entries", "there are no entries; name who gets credits");
  if (new Set(addresses).size < addresses.length) {
    throw invalidInput("entries", "an address occurs twice; nodes take one entry for each");
  }
  if (addresses.includes(account.address)) {
    throw invalidInput("entries", "the sender is among those who get credits; nodes refuse that");
  }
  if (entries.some(({ amount }) => amount <= 0n)) {
    throw invalidInput("entries", "an amount is not above zero; credits are whole numbers from 1");
  }
}

async function send(
  connection: Connection,
  {
    account,
    entries,
    nonce,
    expirationMs,
    channel = DEFAULT_CREDIT_CHANNEL,
    signal,
  }: TransferCreditsParameters,
  type: string,
): Promise<string> {
  const expiration = expirationMs == null ? {} : { expiration: expirationMs };
  const credits = entries.map(({ address, amount }) => ({ address, amount, ...expiration }));
  const message = await buildMessage({
    account,
    type: "POST",
    content: { type, content: { tags: ["credit_transfer", creditNonceTag(nonce)], transfer: { credits } } },
    channel,
    timeMicros: timeOfNonce(nonce) ?? connection.clock.next(account.timeStepMicros),
    uploadContent: (bytes) => uploadFile(connection, { file: bytes, signal }),
  });
  try {
    const { itemHash, status } = await submitMessage(connection, { message, sync: true, signal });
    if (status === "pending") await waitForStatus(connection, { itemHash, signal });
    return itemHash;
  } catch (error) {
    throw insufficiency(account.address, error) ?? error;
  }
}

/** What nodes say when a sender has too little, now or at the time of the transfer. */
const SHORTAGES = [
  /(\d+) credits are required, (\d+) are available/,
  /of (\d+) credits the sender had (\d+) at the time of the transfer/,
];

function insufficiency(address: string, error: unknown): SdkError<"SDK_CREDITS_INSUFFICIENT"> | null {
  if (!isSdkError(error, "SDK_REJECTED")) return null;
  const figures = SHORTAGES.map((shortage) => shortage.exec(error.message)).find((found) => found !== null);
  if (figures === undefined) return null;
  const [required, available] = [BigInt(figures[1] ?? 0), BigInt(figures[2] ?? 0)];
  const missing = required - available;
  const text = `${address} has ${available} credits and ${required} are to be sent: insufficient by ${missing}; nothing was sent`;
  return new SdkError("SDK_CREDITS_INSUFFICIENT", text, { address, required, available, missing });
}

function nonceReused(itemHash: string): SdkError<"SDK_NONCE_REUSED"> {
  const text = `the nonce was used for another request (${itemHash}): repeat that one as it was, or take a new nonce`;
  return new SdkError("SDK_NONCE_REUSED", text, { itemHash });
}
