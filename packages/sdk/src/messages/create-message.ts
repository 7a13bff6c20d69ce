import type { Account, MessageType, StoredItemType } from "@twentysix/protocol";
import type { Connection } from "../connection.ts";
import { uploadFile } from "../files/upload-file.ts";
import { buildMessage, type ContentInput } from "./build-message.ts";
import type { SignedMessage } from "./signed-message.ts";
import { type Submission, submitMessage } from "./submit-message.ts";

/** What every operation that creates a message takes. */
export interface CreationParameters {
  readonly account: Account;
  /** On whose behalf, if the account was given that right; the account itself by default. */
  readonly owner?: string | undefined;
  readonly channel?: string | null | undefined;
  /** Wait until the node has processed the message, 30 s at most. False by default. */
  readonly sync?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface CreateMessageParameters extends CreationParameters {
  readonly type: MessageType;
  /** Without `address` and `time`, which are added. */
  readonly content: ContentInput;
  /** Where a content of 50 000 bytes or more is stored; node storage by default. */
  readonly engine?: StoredItemType | undefined;
}

export interface CreatedMessage extends Submission {
  readonly message: SignedMessage;
}

/**
 * Builds, signs and submits a message of any type. A content of 50 000 bytes or more is uploaded first, and
 * the hash that the node gives is verified.
 *
 * Errors: SDK_INVALID_INPUT, those of `uploadFile` and of `submitMessage`.
 *
 * @example
 * const { itemHash } = await createMessage(connection, { account, type: "PROGRAM", content: program });
 */
export async function createMessage(
  connection: Connection,
  { type, content, engine = "storage", sync, ...parameters }: CreateMessageParameters,
): Promise<CreatedMessage> {
  const { account, owner, channel, signal } = parameters;
  const message = await buildMessage({
    account,
    type,
    content,
    owner,
    channel,
    timeMicros: connection.clock.next(account.timeStepMicros),
    uploadContent: (bytes) => uploadFile(connection, { file: bytes, engine, signal }),
  });
  const submission = await submitMessage(connection, { message, sync, signal });
  return { ...submission, message };
}
