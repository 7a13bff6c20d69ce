import type { Connection } from "../connection.ts";
import { invalidInput } from "../errors.ts";
import { type CreatedMessage, type CreationParameters, createMessage } from "./create-message.ts";

/** Most targets of one message that nodes accept. */
const MAX_TARGETS = 1000;
/** So many targets fit into the envelope, and no file is needed for the list. */
const DEFAULT_BATCH_SIZE = 500;

export interface ForgetParameters extends CreationParameters {
  readonly itemHashes: readonly string[];
  /** At most 1000 characters. */
  readonly reason?: string | undefined;
  /** Targets of one message, 1 to 1000; 500 by default. All targets of a message are forgotten, or none. */
  readonly batchSize?: number | undefined;
}

/**
 * Deletes messages and what hangs on them, in as many FORGET messages as are needed, one after the other.
 *
 * A failure ends the series: the batches before it stay submitted, so a repetition may leave them out.
 *
 * Errors: SDK_INVALID_INPUT and those of `createMessage`.
 *
 * @example
 * await forget(connection, { account, itemHashes: [itemHash], reason: "cleanup", sync: true });
 */
export async function forget(
  connection: Connection,
  { itemHashes, reason, batchSize = DEFAULT_BATCH_SIZE, ...parameters }: ForgetParameters,
): Promise<CreatedMessage[]> {
  if (itemHashes.length === 0) throw invalidInput("itemHashes", "nothing to forget; name at least one hash");
  if (!(Number.isInteger(batchSize) && batchSize >= 1 && batchSize <= MAX_TARGETS)) {
    throw invalidInput("batchSize", `batchSize is ${batchSize}; a message takes 1 to ${MAX_TARGETS} targets`);
  }
  const targets = [...new Set(itemHashes)];
  const created: CreatedMessage[] = [];
  for (let start = 0; start < targets.length; start += batchSize) {
    const hashes = targets.slice(start, start + batchSize);
    created.push(
      await createMessage(connection, { ...parameters, type: "FORGET", content: { hashes, reason } }),
    );
  }
  return created;
}
